declare module 'parse-prometheus-text-format' {
  /** A series. A histogram has buckets, by their upper bounds. */
  interface Series {
    readonly labels?: Readonly<Record<string, string>>;
    readonly value?: string;
    readonly buckets?: Readonly<Record<string, string>>;
    readonly count?: string;
    readonly sum?: string;
  }
  interface Family {
    readonly name: string;
    readonly help: string;
    readonly type: 'COUNTER' | 'GAUGE' | 'HISTOGRAM' | 'SUMMARY' | 'UNTYPED';
    readonly metrics: readonly Series[];
  }
  /** Reads the text format of Prometheus. */
  export default function parse(text: string): Family[];
}
