"""`tacit explore`: a page on this machine that shows tables and trainings."""

import secrets
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tacit.errors import TacitError

if TYPE_CHECKING:
    from tacit.embeddings.read import Table

ADDRESS = "127.0.0.1"


def explore(
    *what: "str | Path | Table",
    columns: Sequence[str | Path] = (),
    run: str | Path | None = None,
    out: str | Path | None = None,
    port: int = 0,
    seed: int = 0,
    device: str = "auto",
    opened: Callable[[str], None] = lambda address: None,
    told: Callable[[str], None] = lambda sentence: None,
) -> None:
    """Show a table, two tables of the same samples beside one another, a run as it trains, or a table and a run, on a page
    that this machine alone can open, until interrupted.

    columns  Parquet files with a column `id`, whose other columns the points can be coloured by: clusters, manifests, scores
    run      the run that embeds what is searched by, if it has moved since the table was written
    out      the folder that selections are saved in; that of the table if not given, or this one if the table has an address
    port     to listen on; a free one if 0
    seed     of the map, which is made the first time and kept beside the table
    opened   hears the address as soon as the page can be opened
    told     hears of the map as it is made
    """
    try:
        import uvicorn

        from tacit.explorer.server import application
    except ImportError as error:
        raise TacitError(f"The page needs {error.name}, which is not installed; type: pip install 'tacit[explore]'.") from None
    from tacit.explorer.shown import Shown

    tables = [one for one in what if not isinstance(one, str | Path) or Path(one).suffix == ".lance"]
    runs = [one for one in what if isinstance(one, str | Path) and Path(one).suffix != ".lance"]
    if not what or len(tables) > 2 or len(runs) > 1:
        raise TacitError(
            f"{len(tables)} tables and {len(runs)} runs came; give one table, two of the same samples, a run, or both."
        )
    watched = None
    if runs:
        from tacit.explorer.watching import Watched

        watched = Watched(runs[0])
    with _listening(port) as listening:  # before a map is made, which can take minutes
        shown = [Shown(one, columns=columns, run=run, seed=seed, device=device, told=told) for one in tables]
        beside = shown[0].table.path.parent if shown else Path()
        folder = Path(out) if out is not None else beside if isinstance(beside, Path) else Path()
        token = secrets.token_urlsafe(24)
        app = application(shown, watched, folder, token)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off", timeout_graceful_shutdown=2))
        listening.listen()  # who comes before the server is ready waits
        opened(f"http://{ADDRESS}:{listening.getsockname()[1]}/#{token}")
        server.run([listening])


def _listening(port: int) -> socket.socket:
    """A socket that only this machine reaches."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((ADDRESS, port))
    except (OSError, OverflowError) as error:
        listening.close()
        raise TacitError(f"Port {port} cannot be listened on ({error}); give another, or leave it out.") from None
    return listening
