import { Counter, type Registry } from 'prom-client';

/** A counter that follows a count kept elsewhere: it is given the total, and grows by what that has grown. */
export function countedElsewhere(registry: Registry, name: string, help: string): (total: number) => void {
  const counter = new Counter({ name: `gridfold_${name}`, help, registers: [registry] });
  let last = 0;
  return (total) => {
    counter.inc(Math.max(0, total - last));
    last = total;
  };
}
