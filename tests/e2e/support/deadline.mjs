// Waiting, always with an end.

const pollMs = 10;

// Calls `condition` until it returns something truthy, and returns that.
export async function until(condition, { what, deadlineMs = 20_000 }) {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

// `promise`, or an error when it takes longer than `deadlineMs`.
export function within(promise, { what, deadlineMs = 20_000 }) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${deadlineMs} ms: ${what}`)), deadlineMs);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
