// Where drawing is slow (no graphics card), draw coarser while things move and sharp when still.

const SLOW_FRAME_MS = 55;
const FRAMES_TO_JUDGE = 12;
const SHARPNESS = [1, 0.75, 0.55];

export function createPace() {
  let level = 0;
  let sum = 0;
  let count = 0;
  return {
    /** Note how long a frame of a moving picture took; the sharpness for the next one. */
    moving(milliseconds) {
      sum += milliseconds;
      count += 1;
      if (count === FRAMES_TO_JUDGE) {
        if (sum / count > SLOW_FRAME_MS && level < SHARPNESS.length - 1) level += 1;
        sum = 0;
        count = 0;
      }
      return SHARPNESS[level];
    },
  };
}
