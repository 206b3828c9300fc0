/**
 * Which system calls a container may make (a seccomp profile in the engine's format). Carried along because an
 * engine's own default depends on its age: Docker 20.10 leaves AF_VSOCK, AF_ALG and io_uring open.
 *
 * NOTICE: the list of names and the conditions on `clone` and `personality` are those of the default profile of
 * Moby, github.com/moby/profiles/seccomp v0.3.0, default.json, Apache License 2.0, copyright its authors. Changed:
 * left out are calls that take a capability (no container of ours has one), other processors, 32-bit programs, tracing,
 * setting limits or priorities of others, and every kind of socket but those below.
 */

const allowed = `
accept accept4 access adjtimex alarm arch_prctl bind brk cachestat capget capset chdir chmod chown
clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep
clock_nanosleep_time64 close close_range connect copy_file_range creat dup dup2 dup3 epoll_create
epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2
execve execveat exit exit_group faccessat faccessat2 fadvise64 fadvise64_64 fallocate fanotify_mark fchdir
fchmod fchmodat fchmodat2 fchown fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr flock fork
fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futex
futex_requeue futex_time64 futex_wait futex_waitv futex_wake futimesat get_robust_list get_thread_area
getcpu getcwd getdents getdents64 getegid geteuid getgid getgroups getitimer getpeername getpgid getpgrp
getpid getppid getpriority getrandom getresgid getresuid getrlimit getrusage getsid getsockname getsockopt
gettid gettimeofday getuid getxattr getxattrat inotify_add_watch inotify_init inotify_init1 inotify_rm_watch
io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit ioctl ioprio_get
ioprio_set kill landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown lgetxattr link
linkat listen listmount listxattr listxattrat llistxattr lremovexattr lseek lsetxattr lstat lstat64 madvise
map_shadow_stack membarrier memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat mlock mlock2
mlockall mmap mmap2 mprotect mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64
mq_timedsend mq_timedsend_time64 mq_unlink mremap mseal msgctl msgget msgrcv msgsnd msync munlock munlockall
munmap name_to_handle_at nanosleep newfstatat open openat openat2 pause pidfd_open pidfd_send_signal pipe
pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll ppoll_time64 prctl pread64 preadv preadv2
process_mrelease pselect6 pselect6_time64 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv
recvfrom recvmmsg recvmmsg_time64 recvmsg remap_file_pages removexattr removexattrat rename renameat
renameat2 restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn
rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sched_get_priority_max
sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler
sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_yield seccomp select semctl
semget semop semtimedop semtimedop_time64 sendfile sendfile64 sendmmsg sendmsg sendto set_robust_list
set_thread_area set_tid_address setfsgid setfsuid setgid setgroups setitimer setpgid setregid setresgid
setresuid setreuid setrlimit setsid setsockopt setuid setxattr setxattrat shmat shmctl shmdt shmget shutdown
sigaltstack signalfd signalfd4 socketpair splice stat stat64 statfs statfs64 statmount statx symlink
symlinkat sync sync_file_range syncfs sysinfo tee tgkill time timer_create timer_delete timer_getoverrun
timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64
timerfd_settime timerfd_settime64 times tkill truncate truncate64 umask uname unlink unlinkat utime
utimensat utimensat_time64 utimes vfork vmsplice wait4 waitid write writev`;

/** AF_UNIX, AF_INET, AF_INET6; AF_NETLINK, by which a program lists its network interfaces. */
const sockets = [1, 2, 10, 16];
/** Linux with or without its 32-bit address space and the old layout of memory; asking which it is. */
const personalities = [0x0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff];
/** Calls that take a process to set limits or priorities of, here always the caller: process 1 must not be starved. */
const ofItself = ["prlimit64", "sched_setattr", "sched_setparam", "sched_setscheduler"];
/** CLONE_NEW...: the namespaces a process could make for itself. */
const namespaces = 0x7e02_0000;
/** "There is no such call": the C library then uses `clone`, whose flags can be looked at. */
const ENOSYS = 38;

const allow = "SCMP_ACT_ALLOW";
const is = "SCMP_CMP_EQ";

function argument(op: string, index: number, value: number): object {
  return { index, value, valueTwo: 0, op };
}

function allowIf(name: string, ...args: readonly object[]): object {
  return { names: [name], action: allow, args };
}

/** The profile as the engine's create call takes it. Programs of 32 bits, whose calls differ, are killed. */
export const systemCalls = JSON.stringify({
  defaultAction: "SCMP_ACT_ERRNO",
  archMap: ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"].map((architecture) => ({
    architecture,
    subArchitectures: [],
  })),
  syscalls: [
    { names: allowed.trim().split(/\s+/), action: allow },
    ...sockets.map((family) => allowIf("socket", argument(is, 0, family))),
    ...personalities.map((persona) => allowIf("personality", argument(is, 0, persona))),
    ...ofItself.map((name) => allowIf(name, argument(is, 0, 0))),
    // PRIO_PROCESS; of a group or a user it would be process 1 too.
    allowIf("setpriority", argument(is, 0, 0), argument(is, 1, 0)),
    allowIf("clone", argument("SCMP_CMP_MASKED_EQ", 0, namespaces)),
    { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: ENOSYS },
  ],
});
