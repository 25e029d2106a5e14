"""`tacit serve`: embeddings and search by HTTP."""

from pathlib import Path

import tacit
from tacit.cli.answer import NO_FLAGS, Answer, Device, Shared, aside, given


def serve(
    run: str,
    /,
    *,
    table: str | None = None,
    key_file: Path | None = None,
    host: str | None = None,
    port: int | None = None,
    batch: int | None = None,
    waiting: int | None = None,
    seconds: float | None = None,
    body: int | None = None,
    device: Device = None,
    shared: Shared = NO_FLAGS,
) -> Answer:
    """Answer for a run by HTTP: embeddings in OpenAI's form, search in a table, until Ctrl-C or SIGTERM.

    Parameters
    ----------
    run
        The folder of a run.
    table
        What `tacit embed` wrote with this run, to be searched: a path, or an address such as s3://bucket/photos.lance.
    key_file
        A file with the key that clients must send. Without one only this machine is served.
    host
        Where to listen; 127.0.0.1 if not given. Another needs --key-file.
    port
        8000 if not given; 0 takes any that is free.
    batch
        Samples that the encoder sees at once; 64 if not given.
    waiting
        Samples that may wait; 2048 if not given. What comes beyond is refused at once.
    seconds
        Until an answer; 60 if not given.
    body
        MiB of one request; 64 if not given.
    """
    how = given(host=host, port=port, batch=batch, waiting=waiting, seconds=seconds, body=body, device=device)
    served = tacit.serve(run, table=table, key_file=key_file, told=aside, **how)
    return Answer(f"{served.requests:,} requests were answered, {served.samples:,} samples embedded.", served)
