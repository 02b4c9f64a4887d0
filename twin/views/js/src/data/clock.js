// The page's own clock: a fractional frame that runs by itself, whatever the server does.

export const SECONDS_PER_FRAME = 8;
export const SPEEDS = [0.25, 1, 4, 16, 64];
// The last part of a frame belongs to the afterglow of tokens that have arrived.
const FLIGHT_SHARE = 0.94;

/** @param {boolean} playing @returns {import("../types").Clock} */
export function createClock(playing) {
  return { time: 0, frames: 1, ready: 0, playing, speed: 1 };
}

/** Move on by `elapsed` seconds of wall clock; wait for frames to come, begin again after the last. @param {import("../types").Clock} clock @param {number} elapsed */
export function advance(clock, elapsed) {
  const next = clock.time + (elapsed * clock.speed) / SECONDS_PER_FRAME;
  if (next >= clock.frames) clock.time = next % clock.frames;
  else clock.time = Math.min(next, Math.max(clock.time, clock.ready - 1e-3));
}

/** Seconds of a token's life shown at this time, from the start of its step. */
export function tokenTime(time, span) {
  return ((time % 1) / FLIGHT_SHARE) * span;
}

/** How fast satellites and tokens move on screen against reality: > 1 is faster. */
export function paces(clock, trace) {
  const framesPerSecond = clock.speed / SECONDS_PER_FRAME;
  return {
    satellites: framesPerSecond * trace.meta.step_s * trace.meta.stride,
    tokens: (framesPerSecond * trace.tokenSpan) / FLIGHT_SHARE,
  };
}
