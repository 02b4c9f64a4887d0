// Where drawing is slow (no graphics card), draw coarser while things move and sharp when still.

const SLOW_FRAME_MS = 55;
const FAST_FRAME_MS = 30;
const FRAMES_TO_JUDGE = 15;
const SHARPNESS = [1, 0.75, 0.55];
// The first frames come while the page is still being set up: they say nothing.
const FIRST_FRAMES = 20;
// A finer picture that turned out too slow is not tried again.
const TRIES = 2;

export function createPace() {
  let level = 0;
  let tries = 0;
  let sum = 0;
  let count = -FIRST_FRAMES;
  return {
    /** Note how long a frame of a moving picture took; the sharpness for the next one. */
    moving(milliseconds) {
      count += 1;
      if (count > 0) sum += milliseconds;
      if (count === FRAMES_TO_JUDGE) {
        const mean = sum / count;
        if (mean > SLOW_FRAME_MS && level < SHARPNESS.length - 1) level += 1;
        else if (mean < FAST_FRAME_MS && level > 0 && tries < TRIES) {
          level -= 1;
          tries += 1;
        }
        sum = 0;
        count = 0;
      }
      return SHARPNESS[level];
    },
  };
}
