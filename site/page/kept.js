// What was written last, kept in the browser where it lets a page keep something; and what was written before that, when
// somebody begins anew.
const [LAST, BEFORE] = ["rmqplay-work", "rmqplay-work-before"];

const quietly = (act) => {
  try {
    return act();
  } catch {
    return null;
  }
};

const read = (key) => quietly(() => {
  const work = JSON.parse(localStorage.getItem(key));
  return typeof work?.files?.[work.play] === "string" ? work : null;
});

export const lastWork = () => read(LAST);
export const workBefore = () => read(BEFORE);

// `work.begun` tells one piece of work from another.
export function keep(work) {
  const last = read(LAST);
  quietly(() => {
    if (last && last.begun !== work.begun) localStorage.setItem(BEFORE, JSON.stringify(last));
    localStorage.setItem(LAST, JSON.stringify(work));
  });
}
