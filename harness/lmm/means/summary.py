"""The table of marginal means or contrasts, as text."""

from harness.lmm.means.marginal import CONTRAST, MarginalMeans
from harness.summaries import Summary, aligned, ruled, shown, shown_df, shown_p_value, shown_percent


def summarise(means: MarginalMeans) -> Summary:
    """Return the rows with intervals, and tests where they are contrasts; then how they were made."""
    functions, names = means.functions, ("estimate", "standard_error", "df", "t", "p", "lower", "upper")
    are_contrasts = CONTRAST in functions.columns
    tests = ["t", "p"] if are_contrasts else []
    ends = [shown_percent((1 - means.level) / 2), shown_percent((1 + means.level) / 2)]
    rows = [[*functions.columns, "Estimate", "Std. error", "df", *tests, *ends]]
    for label, *numbers in zip(functions.labels, *(getattr(means, name).tolist() for name in names), strict=True):
        estimate, error, df, t, p, lower, upper = numbers
        if estimate != estimate:  # noqa: PLR0124 - NaN
            rows.append([*label, "not estimable"])
            continue
        tests = [f"{t:.3f}", shown_p_value(p)] if are_contrasts else []
        rows.append([*label, shown(estimate), shown(error), shown_df(df), *tests, shown(lower), shown(upper)])
    title = "Contrasts of marginal means" if are_contrasts else "Marginal means"
    within = f", within each {' and '.join(means.by)}" if means.by and are_contrasts else ""
    adjusted = f"; p values and intervals adjusted: {means.adjust}{within}" if means.adjust != "none" else ""
    return ruled(
        [
            [title],
            aligned(rows, left=len(functions.columns)),
            [f"Degrees of freedom: {means.method.name}{adjusted}."],
        ]
    )
