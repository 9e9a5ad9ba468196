import type { AttemptEnd } from '../events/instrument.js';
import type { CounterName, MetricSink, Series } from './metric.js';

/** The series of one kind. Each is looked up once in the library of metrics, because an attempt has to be cheap. */
export class KindSeries {
  readonly consumed: Series;
  readonly wait: Series;
  private readonly counters = new Map<string, Series>();
  private readonly durations = new Map<string, Series>();

  constructor(
    private readonly sink: MetricSink,
    private readonly kind: string,
  ) {
    this.consumed = sink.counter('consumed', { kind });
    this.wait = sink.histogram('waitDuration', { kind });
  }

  counter(counter: CounterName, errorType?: string): Series {
    return found(this.counters, `${counter} ${errorType ?? ''}`, () =>
      this.sink.counter(counter, { kind: this.kind, errorType }),
    );
  }

  duration(outcome: AttemptEnd['type'], errorType: string | undefined): Series {
    return found(this.durations, errorType === undefined ? outcome : `${outcome} ${errorType}`, () =>
      this.sink.histogram('processDuration', { kind: this.kind, outcome, errorType }),
    );
  }
}

function found(known: Map<string, Series>, key: string, make: () => Series): Series {
  let series = known.get(key);
  if (series === undefined) {
    series = make();
    known.set(key, series);
  }
  return series;
}
