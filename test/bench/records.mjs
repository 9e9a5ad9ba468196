/** The measurements: for each metric and contender, one value for each round. */
export class Records {
  #values = new Map();

  add(metric, contender, value) {
    const key = `${metric}\n${contender}`;
    const values = this.#values.get(key) ?? [];
    values.push(value);
    this.#values.set(key, values);
  }

  /** @returns the values in the order of the rounds */
  of(metric, contender) {
    return this.#values.get(`${metric}\n${contender}`) ?? [];
  }

  /** @returns null if nothing was measured */
  median(metric, contender) {
    return medianOf(this.of(metric, contender));
  }

  /**
   * The median of the ratios within each round. A machine's speed drifts from round to round, so values of different
   * rounds are not compared.
   *
   * @returns null if one of the two was not measured
   */
  ratio([metric, contender], [otherMetric, other]) {
    const values = this.of(metric, contender);
    const others = this.of(otherMetric, other);
    const ratios = values.slice(0, others.length).map((value, round) => value / others[round]);
    return medianOf(ratios);
  }

  toJSON() {
    return [...this.#values].map(([key, values]) => {
      const [metric, contender] = key.split('\n');
      return { metric, contender, median: medianOf(values), values };
    });
  }
}

export function medianOf(values) {
  return quantileOf(values, 0.5);
}

/** @param share 0.5 for the median, 0.99 for the 99th percentile */
export function quantileOf(values, share) {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const index = (sorted.length - 1) * share;
  const [low, high] = [sorted[Math.floor(index)], sorted[Math.ceil(index)]];
  return low + (high - low) * (index - Math.floor(index));
}
