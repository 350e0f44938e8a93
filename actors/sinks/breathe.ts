/** Lets the event loop serve others between two pieces of a long synchronous job. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
