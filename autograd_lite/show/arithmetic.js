// What C and Python have and JavaScript has not, for the operations in ``table``. A page carries those functions that it calls.

const { abs, acos, acosh, asin, asinh, atan, atan2, atanh, cbrt, ceil, cos, cosh, exp, expm1, floor, hypot, log, log10, log1p, log2, max,
  min, round, sin, sinh, sqrt, tan, tanh, trunc } = Math;
const fabs = abs, exp2 = (x) => 2 ** x, fmod = (x, y) => x % y;
const copysign = (x, y) => (y < 0 || Object.is(y, -0) ? -abs(x) : abs(x));
const larger = (x, y) => (y > x ? y : x), smaller = (x, y) => (y < x ? y : x);

function pow(x, y) { // as C has it, where JavaScript says NaN
  return x === 1 || (abs(x) === 1 && abs(y) === Infinity) ? 1 : x ** y;
}

function rint(x) {
  const low = floor(x);
  if (x - low !== 0.5) return copysign(round(x), x);
  return copysign(low % 2 ? low + 1 : low, x);
}

function around(x, decimals) { // half to even, in the decimals of the exact number
  if (decimals % 1 !== 0) return NaN;
  if (decimals < -308) return Number.isFinite(x) ? copysign(0, x) : x;
  if (decimals < 0) return rint(x / 10 ** -decimals) * 10 ** -decimals;
  if (!Number.isFinite(x) || abs(x) >= 1e21 || decimals > 50) return x;
  const [whole, digits] = abs(x).toFixed(100).split(".");
  const up = Number(abs(x).toFixed(decimals));
  if (!/^50*$/.test(digits.slice(decimals))) return copysign(up, x);
  const last = decimals ? digits[decimals - 1] : whole.at(-1);
  return copysign(last % 2 ? up : Number(whole + "." + digits.slice(0, decimals)), x);
}

function mod(x, y) {
  const rest = x % y;
  return rest === 0 ? copysign(0, y) : (rest < 0) !== (y < 0) && rest === rest ? rest + y : rest;
}

function floorDivide(x, y) { // the floor of the exact quotient
  if (y === 0) return x / y;
  const rest = x % y, quotient = (x - rest) / y - (rest && (rest < 0) !== (y < 0) ? 1 : 0), whole = floor(quotient);
  return quotient ? whole + (quotient - whole > 0.5 ? 1 : 0) : copysign(quotient, x / y);
}

function ldexp(x, exponent) {
  for (; exponent > 1000; exponent -= 1000) x *= 2 ** 1000;
  for (; exponent < -1000 && x; exponent += 1000) x *= 2 ** -1000;
  return x * 2 ** exponent;
}

function frexp(x) {
  if (x === 0 || !Number.isFinite(x)) return [x, 0];
  let exponent = floor(log2(abs(x))) + 1, mantissa = ldexp(x, -exponent);
  for (; abs(mantissa) >= 1; exponent += 1) mantissa /= 2;
  for (; abs(mantissa) < 0.5; exponent -= 1) mantissa *= 2;
  return [mantissa, exponent];
}

// Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.6 and 7.1.14: a series without cancellation, a continued fraction.
function erf(x) {
  if (abs(x) > 2) return x > 0 ? 1 - erfc(x) : erfc(-x) - 1;
  let sum = x, term = x;
  for (let n = 1; abs(term) > 1e-17 * abs(sum); n += 1) sum += term *= (2 * x * x) / (2 * n + 1);
  return (2 / sqrt(Math.PI)) * exp(-x * x) * sum;
}

function erfc(x) {
  if (x !== x) return x;
  if (x < 1) return 1 - erf(x);
  if (x > 27.3) return 0;
  let fraction = 0;
  for (let n = x < 2 ? 200 : 80; n > 0; n -= 1) fraction = n / 2 / (x + fraction);
  const high = Math.fround(x); // exp(-x*x) with what x*x rounds away
  return (exp(-high * high) * exp((high - x) * (high + x))) / (sqrt(Math.PI) * (x + fraction));
}
