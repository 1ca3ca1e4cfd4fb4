// Small drawings. Each state has a shape of its own, so that nothing is told by colour alone.
import type { ComponentChildren } from "preact";

export type Shape = "ok" | "idle" | "busy" | "occupied" | "reserved" | "off" | "bad" | "warn" | "info" | "unknown";

const shapes: Record<Shape, ComponentChildren> = {
  ok: <path d="M3 8.5l3.2 3.2L13 4.8" fill="none" stroke="currentColor" stroke-width="2.2" />,
  idle: <circle cx="8" cy="8" r="5.2" fill="none" stroke="currentColor" stroke-width="2" />,
  busy: <path d="M9.3 1L3 9.2h4L6.2 15 13 6.6H8.6z" fill="currentColor" />,
  occupied: <path d="M8 2.2a5.8 5.8 0 100 11.6A5.8 5.8 0 008 2.2zm0 2v7.6a3.8 3.8 0 010-7.6z" fill="currentColor" fill-rule="evenodd" />,
  reserved: <path d="M3 2h10v12l-5-3.6L3 14z" fill="currentColor" />,
  off: <path d="M3.5 3.5l9 9m0-9l-9 9" fill="none" stroke="currentColor" stroke-width="2.2" />,
  bad: <path d="M5 1h6l4 4v6l-4 4H5l-4-4V5zm2 3v5h2V4zm0 6.2v2h2v-2z" fill="currentColor" fill-rule="evenodd" />,
  warn: <path d="M8 1l7.5 13.5H.5zM7 6v4.5h2V6zm0 5.5v1.8h2v-1.8z" fill="currentColor" fill-rule="evenodd" />,
  info: <path d="M8 1a7 7 0 110 14A7 7 0 018 1zM7 4v2h2V4zm0 3v5h2V7z" fill="currentColor" fill-rule="evenodd" />,
  unknown: <path d="M5 6a3 3 0 115 2.2c-1.2.9-1.6 1.3-1.6 2.6M8.3 12.6v1.6" fill="none" stroke="currentColor" stroke-width="2" />,
};

export const Icon = ({ shape }: { shape: Shape }) => (
  <svg class="icon" viewBox="0 0 16 16" width="14" height="14" aria-hidden="true" focusable="false">{shapes[shape]}</svg>
);
