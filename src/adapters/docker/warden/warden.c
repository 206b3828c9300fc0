/*
 * warden SECONDS COMMAND [ARGUMENT...]: process 1 of every container in which a command of a task runs.
 *
 * It starts the command, reaps every orphan, and ends with the command, as the command ended: its exit code, or
 * 128 + the signal that ended it; 126 and 127 if it cannot be executed or is not there. After SECONDS it ends by
 * itself, with 124. When process 1 ends, the kernel kills whatever else is in the container.
 *
 * Why it is not `timeout` beneath an init: the command runs as the same user, so it could stop or kill `timeout` and
 * live for ever. From inside its container nobody can stop or kill process 1, and as it is not dumpable nobody
 * without capabilities can trace it or write to its memory either.
 *
 * It uses system calls only, no library, so that one small file runs in any image; see scripts/build-warden.mjs.
 */

typedef unsigned long word;

struct time {
  long seconds;
  long nanoseconds;
};

#if defined(__x86_64__)
enum {
  WRITE = 1, RT_SIGPROCMASK = 14, CLONE = 56, EXECVE = 59, WAIT4 = 61, RT_SIGTIMEDWAIT = 128, PRCTL = 157,
  CLOCK_GETTIME = 228, EXIT_GROUP = 231
};

static long call(long number, word a, word b, word c, word d) {
  long result;
  register word fourth __asm__("r10") = d;
  register word fifth __asm__("r8") = 0;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(fifth)
                   : "rcx", "r11", "memory");
  return result;
}

__asm__(".globl _start\n_start:\n  mov %rsp, %rdi\n  and $-16, %rsp\n  call begin\n");
#elif defined(__aarch64__)
enum {
  WRITE = 64, EXIT_GROUP = 94, CLOCK_GETTIME = 113, RT_SIGPROCMASK = 135, RT_SIGTIMEDWAIT = 137, PRCTL = 167,
  CLONE = 220, EXECVE = 221, WAIT4 = 260
};

static long call(long number, word a, word b, word c, word d) {
  register word first __asm__("x0") = a;
  register word second __asm__("x1") = b;
  register word third __asm__("x2") = c;
  register word fourth __asm__("x3") = d;
  register word fifth __asm__("x4") = 0;
  register long which __asm__("x8") = number;
  __asm__ volatile("svc 0"
                   : "+r"(first)
                   : "r"(second), "r"(third), "r"(fourth), "r"(fifth), "r"(which)
                   : "memory");
  return (long)first;
}

__asm__(".globl _start\n_start:\n  mov x0, sp\n  bl begin\n");
#endif

enum { NO_ENTRY = 2, NO_ACCESS = 13, NOT_A_FOLDER = 20 };
enum { CHILD_SIGNAL = 17, BLOCK = 0, SET_MASK = 2, MONOTONIC = 1, NO_HANG = 1, SET_DUMPABLE = 4 };
enum { LONGEST_PATH = 4096 };
enum { TIMED_OUT = 124, NOT_EXECUTABLE = 126, NOT_FOUND = 127 };

static void end(int code) {
  for (;;) call(EXIT_GROUP, (word)code, 0, 0, 0);
}

static void complain(const char *text) {
  word length = 0;
  while (text[length]) length += 1;
  call(WRITE, 2, (word)text, length, 0);
}

static long execute(const char *path, char **arguments, char **environment) {
  return -call(EXECVE, (word)path, (word)arguments, (word)environment, 0);
}

static int contains(const char *text, char wanted) {
  for (; *text; text += 1)
    if (*text == wanted) return 1;
  return 0;
}

/* The value of PATH; what a shell takes if it is not set. */
static const char *search_path(char **environment) {
  for (; *environment; environment += 1) {
    const char *line = *environment;
    if (line[0] == 'P' && line[1] == 'A' && line[2] == 'T' && line[3] == 'H' && line[4] == '=') return line + 5;
  }
  return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

/* Returns only if the command cannot be executed, with the reason. */
static long execute_found(char **arguments, char **environment) {
  const char *name = arguments[0];
  if (contains(name, '/')) return execute(name, arguments, environment);
  long reason = NO_ENTRY;
  const char *rest = search_path(environment);
  for (;;) {
    char path[LONGEST_PATH];
    word length = 0;
    for (; *rest && *rest != ':'; rest += 1)
      if (length < LONGEST_PATH - 1) path[length++] = *rest;
    if (length < LONGEST_PATH - 1) path[length++] = '/';
    for (const char *letter = name; *letter; letter += 1)
      if (length < LONGEST_PATH - 1) path[length++] = *letter;
    path[length] = 0;
    long refused = execute(path, arguments, environment);
    if (refused != NO_ENTRY && refused != NOT_A_FOLDER) reason = refused;
    /* One that may not be executed does not hide a later one that may. */
    if (refused != NO_ENTRY && refused != NOT_A_FOLDER && refused != NO_ACCESS) return refused;
    if (!*rest) return reason;
    rest += 1;
  }
}

static struct time now(void) {
  struct time time = {0, 0};
  call(CLOCK_GETTIME, MONOTONIC, (word)&time, 0, 0);
  return time;
}

void begin(word *stack) {
  word count = stack[0];
  char **arguments = (char **)(stack + 1);
  char **environment = arguments + count + 1;
  if (count < 3) end(NOT_FOUND);
  long seconds = 0;
  for (const char *digit = arguments[1]; *digit; digit += 1) seconds = seconds * 10 + (*digit - '0');
  struct time until = now();
  until.seconds += seconds;

  call(PRCTL, SET_DUMPABLE, 0, 0, 0);
  /* Blocked, a signal waits until it is asked for: none is missed between two looks. */
  word child_ended = 1ul << (CHILD_SIGNAL - 1), before = 0;
  call(RT_SIGPROCMASK, BLOCK, (word)&child_ended, (word)&before, sizeof before);

  long command = call(CLONE, CHILD_SIGNAL, 0, 0, 0);
  if (command == 0) {
    call(RT_SIGPROCMASK, SET_MASK, (word)&before, 0, sizeof before);
    long reason = execute_found(arguments + 2, environment);
    complain(arguments[2]);
    complain(reason == NO_ENTRY ? ": not found\n" : ": cannot be executed\n");
    end(reason == NO_ENTRY ? NOT_FOUND : NOT_EXECUTABLE);
  }
  if (command < 0) end(NOT_EXECUTABLE);

  for (;;) {
    /* Looked at every time: orphans that end faster than they are reaped must not put the end off. */
    struct time time = now();
    struct time left = {until.seconds - time.seconds, until.nanoseconds - time.nanoseconds};
    if (left.nanoseconds < 0) {
      left.nanoseconds += 1000000000;
      left.seconds -= 1;
    }
    if (left.seconds < 0) end(TIMED_OUT);
    int status = 0;
    long ended = call(WAIT4, (word)-1, (word)&status, NO_HANG, 0);
    if (ended == command) end((status & 0x7f) ? 128 + (status & 0x7f) : (status >> 8) & 0xff);
    if (ended <= 0) call(RT_SIGTIMEDWAIT, (word)&child_ended, 0, (word)&left, sizeof child_ended);
  }
}
