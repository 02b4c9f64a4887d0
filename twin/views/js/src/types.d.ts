// What the modules hand to each other.

export interface Meaning {
  word: string;
  label: string;
  sentence: string;
  column?: string;
  group?: string;
}

export interface Figure {
  name: string;
  label: string;
  unit: string;
  scale: number;
  sentence: string;
  merge: string;
  weight?: string;
  part?: string[];
  whole?: string[];
  quantity?: string;
  share?: number;
}

export interface Palette {
  ramps: Record<string, string[]>;
  links: Record<string, string>;
  states: string[];
  tokens: string[];
  series: string[];
  causes: string[];
  lanes: string[];
  idle: string;
  ring: string;
  ground: string;
  migration: string;
  shadow: string;
  propagation: string;
  compute: string;
}

/** Head of a run, from twin/views/trace.py. */
export interface Meta {
  run_id: string;
  /** Whether it mirrors telemetry. */
  live: boolean;
  name: string;
  description: string;
  about: { path: string; value: string; default: string; sentence: string }[];
  glossary: Record<string, string>;
  strategy: string;
  policy: string;
  seed: number;
  model: string;
  n_satellites: number;
  n_planes: number;
  first_step: number;
  step_s: number;
  start_utc: string;
  steps: number;
  stride: number;
  frames: number;
  tokens_per_step: number;
  /** Of a run of requests; null where only tokens are served. */
  requests: { instances: number; record_every: number | null; ttft_target_s: number; tpot_target_s: number } | null;
  figures: Figure[];
  temperature_range_c: [number, number];
  what_if: { path: string; label: string; value: number | string; choices: string[] | null }[];
  names: string[];
  sites: { name: string; latitude_deg: number; longitude_deg: number }[];
  palette: { dark: Palette; light: Palette };
  vocabulary: {
    causes: Meaning[];
    link_states: Meaning[];
    states: Meaning[];
    lanes: (Meaning & { ticks: boolean })[];
    kinds: Record<string, { sentence: string; shown: string; lane: number; quiet: boolean }>;
    migration: [string, string];
  };
}

export interface Event {
  t_s: number;
  frame: number;
  kind: string;
  cause: string;
  satellite: number;
  other: number;
  value: number;
}

/** A run in the page: its head, and the frames that are here; arrays are as Python packed them. */
export interface Trace {
  meta: Meta;
  frames: number;
  ready: number;
  count: number;
  links: number;
  layers: number;
  done: boolean;
  smooth: boolean;
  shellRadius: number;
  tokenSpan: number;
  tokenRange: number[];
  hopRange: number[];
  binRange: number[];
  placements: { frame: number; start: number; end: number; hosts?: Hosts }[];
  events: Event[];
  migrations: { from_s: number; to_s: number; source: number; target: number; kind: string; bytes: number }[];
  kinds: Record<string, { count: number; kept: number; byFrame: Uint32Array }>;
  [array: string]: any;
}

export interface Hosts {
  layer: Int16Array;
  role: Uint8Array;
  instance: Int16Array;
  gateways: Int32Array;
  rings: Int32Array[];
  experts: Map<number, { instance: number; layer: number; expert: number; copy: number }[]>;
}

export interface Clock {
  time: number;
  frames: number;
  ready: number;
  playing: boolean;
  speed: number;
}

/** What the viewer chose. */
export interface View {
  views: string[];
  colourBy: string;
  sizeByLoad: boolean;
  show: Record<string, boolean>;
  fixed: boolean;
  follow: "" | "satellite" | "token";
  satellite: number;
  token: number;
  layer: number;
  held: number;
  tab: string;
  of: number;
  dark: boolean;
  keys: boolean;
  zoom: [number, number] | null;
  kindsOff: Set<string> | null;
  chosenOnly: boolean;
  table: { by: string; down: boolean; text: string; page: number };
  requests: { site: number | null; instance: number | null; cause: string | null; by: string; down: boolean; page: number; request: number };
  heat: string;
  find: { what: string; kind: string | null; cause: string | null; layer: number | null; text: string; by: string; down: boolean; page: number };
  found: [number, number][] | null;
  wide: boolean;
  now: boolean;
  tour: number;
}

/** Colours of the theme, with what of the view decides how things look. */
export interface Look {
  dark: boolean;
  palette: Palette;
  ink: string;
  colourBy: string;
  show: Record<string, boolean>;
}

/** What differs between the runs on stage, from twin/views/comparison.py. */
export interface Comparison {
  captions: Record<string, string>;
  warnings: string[];
  columns: { label: string; title: string }[];
  cells: Record<string, { value: string; difference: string }[]>;
  note: string;
}

export interface App {
  model: any;
  view: View;
  clock: Clock;
  stage: any;
  feed: any;
  ask: any;
  loop: any;
  act: any;
  root: HTMLElement;
  traces: Trace[];
  look: Look | null;
  comparison: Comparison;
  compact: boolean;
  calm: boolean;
  narrow: boolean;
  wanted: number | null;
  timeOf(trace: Trace): number;
  frameOf(trace: Trace): number;
  changed(): void;
  restyle(): void;
  address(entry?: boolean): void;
}
