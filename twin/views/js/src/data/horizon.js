// What the eye cannot see because Earth is in the way.

/** Whether Earth, a ball of radius 1, hides the point at `positions[at]` from `eye`. */
export function behindEarth(eye, positions, at) {
  const x = positions[at], y = positions[at + 1], z = positions[at + 2];
  const distance = eye.length();
  const depth = (x * eye.x + y * eye.y + z * eye.z) / distance;
  if (depth > 1 / distance) return false;
  const offAxisSquared = x * x + y * y + z * z - depth * depth;
  // The shadow that a lamp at the eye would cast: a cone touching the ball.
  return offAxisSquared * (distance * distance - 1) < (distance - depth) ** 2;
}
