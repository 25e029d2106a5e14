"""`tacit explore`: a page that shows a table, two beside one another, or a training as it runs."""

import webbrowser
from pathlib import Path

import tacit
from tacit.cli.answer import NO_FLAGS, Answer, Device, Seed, Shared, aside, given


def explore(
    *what: str,
    columns: list[Path] | None = None,
    run: str | None = None,
    out: Path | None = None,
    port: int | None = None,
    no_browser: bool = False,
    seed: Seed = None,
    device: Device = None,
    shared: Shared = NO_FLAGS,
) -> Answer:
    """Open a page with a map of a table: what is near to what, by which colour, and what is to be kept of it.

    Parameters
    ----------
    what
        What `tacit embed` wrote, or two such tables of the same data, or the folder of a run to be watched as it trains.
    columns
        Parquet files with a column `id`, whose other columns colour the points: what `tacit cluster`, `tacit curate` and
        `tacit predict` wrote.
    run
        The run that embeds what is searched by, if it has moved since the table was written.
    out
        The folder that selections are saved in; that of the table if not given.
    port
        To listen on; a free one if not given.
    no_browser
        Print the page's address and open no browser.
    """

    def opened(address: str) -> None:
        aside(f"The page is at {address}; Ctrl-C ends it.")
        if not no_browser:
            webbrowser.open(address)

    tacit.explore(
        *what, opened=opened, told=aside, **given(columns=columns, run=run, out=out, port=port, seed=seed, device=device)
    )
    return Answer("", {"what": what})
