// Whether two sets of times differ, without assuming how times are spread.

// Two-sided Mann-Whitney test (normal approximation with correction for ties), and how often a
// value of `a` is above one of `b` (0.5: as often as below).
export function compare(a, b) {
    const all = [...a.map((value) => [value, 0]), ...b.map((value) => [value, 1])]
        .sort(([x], [y]) => x - y);
    let ranksOfA = 0;
    let ties = 0;
    for (let i = 0; i < all.length;) {
        let end = i;
        while (end < all.length && all[end][0] === all[i][0]) ++end;
        const rank = (i + 1 + end) / 2;
        for (let k = i; k < end; ++k) if (all[k][1] === 0) ranksOfA += rank;
        ties += (end - i) ** 3 - (end - i);
        i = end;
    }
    const [n, m, total] = [a.length, b.length, all.length];
    const u = ranksOfA - (n * (n + 1)) / 2;
    const deviation = Math.sqrt(((n * m) / 12) * (total + 1 - ties / (total * (total - 1))));
    const z = deviation === 0 ? 0 : (u - (n * m) / 2) / deviation;
    return { p: 2 * (1 - normal(Math.abs(z))), above: u / (n * m) };
}

// The standard normal distribution's share below z >= 0 (Abramowitz and Stegun 26.2.17).
function normal(z) {
    const t = 1 / (1 + 0.2316419 * z);
    const factors = [0.31938153, -0.356563782, 1.781477937, -1.821255978, 1.330274429];
    const sum = factors.reduce((all, factor, i) => all + factor * t ** (i + 1), 0);
    return 1 - (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * sum;
}
