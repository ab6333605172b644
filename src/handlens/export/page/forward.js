// A network's way from an image to its logits, step by step, in plain arithmetic. One image at a time; maps are laid out C,H,W.

/**
 * @typedef {{op: string, name: string, kind: string, from: number[], shape: number[], tensors: number[], [argument: string]: any}} Step
 * @typedef {{shape: number[], classes: string[], steps: Step[], tensors: {shape: number[], start: number}[], weights: string}} Description
 * @typedef {{values: ArrayLike<number>, shape: number[]}} Found what a step has given
 */

const size = (/** @type {number[]} */ shape) => shape.reduce((product, side) => product * side, 1);

export class Network {
  /** @param {Description} description */
  constructor(description) {
    const bytes = Uint8Array.from(atob(description.weights), (letter) => letter.charCodeAt(0));
    const numbers = new Float32Array(bytes.buffer);
    this.steps = description.steps;
    this.shape = description.shape;
    this.tensors = description.tensors.map(({ shape, start }) => ({ shape, values: numbers.subarray(start, start + size(shape)) }));
  }

  /** Everything that comes out on the way: the image first, the logits last. @param {Uint8Array} pixels C,H,W from 0 to 255 @returns {Found[]} */
  run(pixels) {
    /** @type {Found[]} */
    const found = [{ values: Float32Array.from(pixels, (pixel) => pixel / 255), shape: this.shape }];
    for (const step of this.steps) {
      const values = OPERATIONS[step.op](step, step.from.map((place) => found[place]), step.tensors.map((place) => this.tensors[place]));
      found.push({ values, shape: step.shape });
    }
    return found;
  }

  /** @param {Uint8Array} pixels @returns {ArrayLike<number>} */
  logits(pixels) {
    return this.run(pixels)[this.steps.length].values;
  }
}

/** Of logits. @param {ArrayLike<number>} logits */
export function probabilities(logits) {
  const most = Math.max(...Array.from(logits));
  const shares = Array.from(logits, (logit) => Math.exp(logit - most));
  const sum = shares.reduce((one, other) => one + other, 0);
  return shares.map((share) => share / sum);
}

/** @param {Step} step @param {Found[]} inputs @param {Found[]} tensors */
function convolve(step, [{ values, shape }], [weight, bias]) {
  const input = { values: padded(values, shape, step.padding, 0), shape: padTo(shape, step.padding) };
  const [filters, rows, columns] = step.shape;
  const [many, length] = [filters / step.groups, size(weight.shape.slice(1))];
  const result = new Float32Array(size(step.shape));
  for (let group = 0; group < step.groups; group++) {
    const windows = unrolled(input, step, weight.shape, group * weight.shape[1]);
    for (let place = 0; place < rows * columns; place++) {
      const start = group * many;
      weigh(weight.values, start, start + many, windows, place * length, length, (filter, sum) => (result[filter * rows * columns + place] = sum + (bias ? bias.values[filter] : 0)));
    }
  }
  return result;
}

/** What each place of a convolution looks at, one window after the other. @param {{values: Float64Array, shape: number[]}} input @param {Step} step @param {number[]} kernel @param {number} first channel */
function unrolled({ values, shape: [, height, width] }, step, [, depth, down, across], first) {
  const [, rows, columns] = step.shape;
  const windows = new Float64Array(rows * columns * depth * down * across);
  let next = 0;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const corner = row * step.stride[0] * width + column * step.stride[1];
      for (let channel = first; channel < first + depth; channel++) {
        for (let y = 0; y < down; y++) {
          const start = channel * height * width + corner + y * step.dilation[0] * width;
          for (let x = 0; x < across; x++) windows[next++] = values[start + x * step.dilation[1]];
        }
      }
    }
  }
  return windows;
}

/**
 * The weighted sums of a window, four filters at a time: so each of its numbers is read once for all four.
 * @param {ArrayLike<number>} weights @param {number} first filter @param {number} end @param {Float64Array} window @param {number} from where it begins
 * @param {number} length @param {(filter: number, sum: number) => void} give
 */
function weigh(weights, first, end, window, from, length, give) {
  let filter = first;
  for (; filter + 4 <= end; filter += 4) {
    let [at, one, two, three, four] = [filter * length, 0, 0, 0, 0];
    for (let place = from; place < from + length; place++, at++) {
      const value = window[place];
      one += weights[at] * value;
      two += weights[at + length] * value;
      three += weights[at + 2 * length] * value;
      four += weights[at + 3 * length] * value;
    }
    give(filter, one);
    give(filter + 1, two);
    give(filter + 2, three);
    give(filter + 3, four);
  }
  for (; filter < end; filter++) {
    let sum = 0;
    for (let place = 0; place < length; place++) sum += weights[filter * length + place] * window[from + place];
    give(filter, sum);
  }
}

const padTo = (/** @type {number[]} */ [channels, height, width], /** @type {number[]} */ [left, right, top, bottom]) => [channels, height + top + bottom, width + left + right];

/** @param {ArrayLike<number>} values @param {number[]} shape @param {number[]} margins left, right, top, bottom @param {number} filler */
function padded(values, shape, margins, filler) {
  const from = Float64Array.from(values);
  if (!margins.some(Boolean)) return from;
  const [left, , top] = margins;
  const [channels, height, width] = shape;
  const [, high, wide] = padTo(shape, margins);
  const result = new Float64Array(channels * high * wide).fill(filler);
  for (let row = 0; row < channels * height; row++) {
    const start = Math.floor(row / height) * high * wide + ((row % height) + top) * wide + left;
    result.set(from.subarray(row * width, (row + 1) * width), start);
  }
  return result;
}

/** @param {Step} _step @param {Found[]} inputs @param {Found[]} tensors */
function linear(_step, [{ values }], [weight, bias]) {
  const [outputs, inputs] = weight.shape;
  const result = new Float32Array(outputs);
  weigh(weight.values, 0, outputs, Float64Array.from(values), 0, inputs, (unit, sum) => (result[unit] = sum + (bias ? bias.values[unit] : 0)));
  return result;
}

/** @param {Step} step @param {Found[]} inputs @param {Found[]} tensors */
function normalizeBatch(step, [{ values, shape }], tensors) {
  const [mean, variance, weight, bias] = tensors.map((tensor) => tensor.values);
  const each = values.length / shape[0];
  return Float32Array.from(values, (value, place) => {
    const channel = Math.floor(place / each);
    const plain = (value - mean[channel]) / Math.sqrt(variance[channel] + step.eps);
    return weight ? plain * weight[channel] + bias[channel] : plain;
  });
}

/** A pooling: `add` joins what lies in a window, `end` is told how much did. @param {Step} step @param {Found} input @param {number} begin @param {(one: number, other: number) => number} add @param {(sum: number, many: number) => number} end */
function pool(step, { values, shape }, begin, add, end) {
  const [, height, width] = shape;
  const [channels, rows, columns] = step.shape;
  const [top, left] = step.padding;
  const counted = step.count_include_pad ?? false;
  const result = new Float32Array(channels * rows * columns);
  result.forEach((_, place) => {
    const [x, y, channel] = [place % columns, Math.floor(place / columns) % rows, Math.floor(place / (columns * rows))];
    let [sum, many] = [begin, 0];
    for (let part = 0; part < step.kernel_size[0] * step.kernel_size[1]; part++) {
      const down = y * step.stride[0] - top + Math.floor(part / step.kernel_size[1]) * step.dilation[0];
      const across = x * step.stride[1] - left + (part % step.kernel_size[1]) * step.dilation[1];
      const inside = down >= 0 && down < height && across >= 0 && across < width;
      many += Number(inside || (counted && down < height + top && across < width + left));
      if (inside) sum = add(sum, values[(channel * height + down) * width + across]);
    }
    result[place] = end(sum, many);
  });
  return result;
}

/** The mean of each channel. @param {Step} _step @param {Found[]} inputs */
function channelMeans(_step, [{ values, shape }]) {
  const each = values.length / shape[0];
  return Float32Array.from({ length: shape[0] }, (_, channel) => {
    let sum = 0;
    for (let place = 0; place < each; place++) sum += values[channel * each + place];
    return sum / each;
  });
}

/** Made larger, each new pixel a mixture of the four that are nearest. @param {Step} step @param {Found[]} inputs */
function enlarge(step, [{ values, shape }]) {
  const [channels, height, width] = shape;
  const [, rows, columns] = step.shape;
  const near = (/** @type {number} */ place, /** @type {number} */ many, /** @type {number} */ after) => {
    const exact = Math.max(0, ((place + 0.5) * many) / after - 0.5);
    const low = Math.min(many - 1, Math.floor(exact));
    return { low, high: Math.min(many - 1, low + 1), share: exact - low };
  };
  return Float32Array.from({ length: channels * rows * columns }, (_, place) => {
    const [x, y] = [near(place % columns, width, columns), near(Math.floor(place / columns) % rows, height, rows)];
    const at = (/** @type {number} */ down, /** @type {number} */ across) => values[(Math.floor(place / (columns * rows)) * height + down) * width + across];
    const [above, below] = [y.low, y.high].map((down) => at(down, x.low) * (1 - x.share) + at(down, x.high) * x.share);
    return above * (1 - y.share) + below * y.share;
  });
}

/** One number for another. @param {(value: number, step: Step) => number} change */
const each = (change) => (/** @type {Step} */ step, /** @type {Found[]} */ [{ values }]) => Float32Array.from(values, (value) => change(value, step));

/** Two of the same shape, or with one number, or one number a channel. @param {(one: number, other: number) => number} join */
const both = (join) => (/** @type {Step} */ step, /** @type {Found[]} */ inputs, /** @type {Found[]} */ tensors) => {
  const [{ values, shape }, second] = [...inputs, ...tensors];
  const others = second ? second.values : [step.other];
  const wide = others.length === values.length ? 1 : others.length === 1 ? values.length : values.length / shape[0];
  return Float32Array.from(values, (value, place) => join(value, others[Math.floor(place / wide)]));
};

/** The error function, to seven places (Abramowitz and Stegun 7.1.26 has too few: a series, and its counterpart far out). @param {number} x */
function erf(x) {
  const far = Math.abs(x);
  if (far > 5) return Math.sign(x);
  let [term, sum] = [far, far];
  for (let n = 1; n < 120; n++) {
    term *= -(far * far) / n;
    sum += term / (2 * n + 1);
  }
  return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI);
}

const sigmoid = (/** @type {number} */ value) => 1 / (1 + Math.exp(-value));
const gelu = (/** @type {number} */ value, /** @type {Step} */ step) =>
  step.approximate === "tanh" ? 0.5 * value * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (value + 0.044715 * value ** 3))) : 0.5 * value * (1 + erf(value / Math.SQRT2));

/** @type {Record<string, (step: Step, inputs: Found[], tensors: Found[]) => ArrayLike<number>>} */
const OPERATIONS = {
  conv2d: convolve,
  linear,
  batch_norm: normalizeBatch,
  max_pool2d: (step, [input]) => pool(step, input, -Infinity, Math.max, (most) => most),
  avg_pool2d: (step, [input]) => pool(step, input, 0, (sum, value) => sum + value, (sum, many) => sum / many),
  channel_means: channelMeans,
  reshape: (_step, [{ values }]) => values,
  pad: (step, [{ values, shape }]) => padded(values, shape, step.pad, step.value),
  enlarge,
  expand: (step, [{ values }]) => Float32Array.from({ length: size(step.shape) }, (_, place) => values[place % values.length]),
  cat: (_step, inputs) => Float32Array.from(inputs.flatMap(({ values }) => Array.from(values))),
  relu: each((value) => Math.max(0, value)),
  leaky_relu: each((value, step) => (value < 0 ? value * step.negative_slope : value)),
  hardtanh: each((value, step) => Math.min(step.max_val, Math.max(step.min_val, value))),
  gelu: each(gelu),
  silu: each((value) => value * sigmoid(value)),
  tanh: each(Math.tanh),
  sigmoid: each(sigmoid),
  softmax: (_step, [{ values }]) => probabilities(values),
  log_softmax: (_step, [{ values }]) => probabilities(values).map(Math.log),
  add: both((one, other) => one + other),
  sub: both((one, other) => one - other),
  mul: both((one, other) => one * other),
  div: both((one, other) => one / other),
};
