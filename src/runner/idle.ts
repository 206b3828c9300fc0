/** Notices that nobody needs the runner any more. */

export interface IdleWatch {
  /** Someone came or went: start counting anew. */
  touch(): void;
  dispose(): void;
}

/** Calls `onIdle` once, after `isIdle` was true at both ends of a stretch of `ms` without a `touch`. */
export function watchIdle(ms: number, isIdle: () => boolean, onIdle: () => void): IdleWatch {
  let timer: NodeJS.Timeout | undefined;
  const wait = (idleBefore: boolean): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const idle = isIdle();
      if (idle && idleBefore) onIdle();
      else wait(idle);
    }, ms);
  };
  wait(isIdle());
  return { touch: () => wait(isIdle()), dispose: () => clearTimeout(timer) };
}
