// The page's own clock: a fractional frame that runs by itself, whatever the server does.

export const SECONDS_PER_STEP = 8;
export const SPEEDS = [0.25, 1, 4, 16];
// The last part of a step belongs to the afterglow of tokens that have arrived.
const FLIGHT_SHARE = 0.94;

export function createClock() {
  return { time: 0, frames: 1, playing: true, speed: 1 };
}

/** Move on by `elapsed` seconds of wall clock; after the last frame the run starts again. */
export function advance(clock, elapsed) {
  clock.time = (clock.time + (elapsed * clock.speed) / SECONDS_PER_STEP) % clock.frames;
}

/** Seconds of a token's life shown at this time, from the start of its step. */
export function tokenTime(clock, trace) {
  return ((clock.time % 1) / FLIGHT_SHARE) * trace.tokenSpan;
}

/** How fast satellites and tokens move on screen against reality: > 1 is faster. */
export function paces(clock, trace) {
  const stepsPerSecond = clock.speed / SECONDS_PER_STEP;
  return {
    satellites: stepsPerSecond * trace.meta.step_s * trace.meta.stride,
    tokens: (stepsPerSecond * trace.tokenSpan) / FLIGHT_SHARE,
  };
}
