/** What was measured: of each metric and contender one value for each round. */
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

  /** @returns null where nothing was measured */
  median(metric, contender) {
    return medianOf(this.of(metric, contender));
  }

  /**
   * How many times as much: the median of the ratios within each round, for what a machine does drifts from round to
   * round. @returns null where one of the two was not measured
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

/** @param share 0.5 for the median, 0.99 for what all but one of a hundred are below */
export function quantileOf(values, share) {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const [low, high] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return low + (high - low) * (place - Math.floor(place));
}
