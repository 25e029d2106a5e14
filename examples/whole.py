"""From a folder without labels to a curated manifest, a second pretraining, an ONNX file, a map and a server.

    python examples/whole.py                          # on 400 small pictures that code draws
    python examples/whole.py photos/ --out whole/ --epochs 100
    python examples/whole.py --until export           # without the page and the server, which stay until Ctrl-C

Each step says the command that does the same. Needs pip install 'tacit[export]', and 'tacit[explore,serve]' for the last two.
"""

import argparse
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

import tacit
from tacit.data.generated import tiny_images, write

STEPS = ("pretrain", "curate", "again", "export", "explore", "serve")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="?", type=Path, help="a folder of images; without one some are drawn")
    parser.add_argument("--out", type=Path, default=Path("whole"))
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--until", choices=STEPS, default="serve")
    given = parser.parse_args()
    out, last = given.out, STEPS.index(given.until)
    out.mkdir(parents=True, exist_ok=True)
    photos = given.photos or drawn(out / "photos")

    said(f"tacit pretrain {photos} --method simclr --epochs {given.epochs} --out {out}/first")
    first = tacit.pretrain(photos, "simclr", out=out / "first", epochs=given.epochs)
    if last >= 1:
        said(f"tacit embed {out}/first {photos} --out {out}/first.lance")
        table = tacit.embed(first, photos, out=out / "first.lance", overwrite=True)
        keep = max(len(table) // 2, 64)
        said(f"tacit curate {out}/first.lance --drop-duplicates --keep {keep} --balance --out {out}/manifest.parquet")
        manifest = out / "manifest.parquet"
        sys.stdout.write(
            f"{tacit.curate(table, out=manifest, drop_duplicates=True, keep=keep, balance=True, overwrite=True)}\n"
        )
    if last >= 2:
        said(f"tacit pretrain {manifest} --method simclr --epochs {given.epochs} --out {out}/second")
        second = tacit.pretrain(manifest, "simclr", out=out / "second", epochs=given.epochs)
        said(f"tacit embed {out}/second {photos} --out {out}/second.lance")
        tacit.embed(second, photos, out=out / "second.lance", overwrite=True)
    if last >= 3:
        said(f"tacit export {out}/second --out {out}/second.onnx")
        sys.stdout.write(f"{tacit.export(second, out=out / 'second.onnx', data=photos, overwrite=True)}\n")
    table = str(out / "second.lance")
    if last >= 4:
        stays("explore", table)  # beside the first: tacit explore first.lance second.lance
    if last >= 5:
        stays("serve", str(out / "second"), "--table", table)


def drawn(folder: Path) -> Path:
    """Four hundred small pictures, some of them twice, without labels or splits."""
    if not folder.exists():
        samples = tiny_images(400)
        few = np.arange(400) % 360  # the last 40 come a second time
        write(replace(samples.take(few), ids=[f"{i:03d}" for i in range(400)], labels=None, splits=None), folder)
    return folder


def said(command: str) -> None:
    sys.stdout.write(f"\n$ {command}\n")
    sys.stdout.flush()


def stays(*command: str) -> None:
    """What shows something until Ctrl-C, after which the script goes on."""
    said(f"tacit {' '.join(command)}        (Ctrl-C goes on)")
    try:
        subprocess.run([sys.executable, "-m", "tacit", *command], check=True)
    except KeyboardInterrupt:
        sys.stdout.write("\n")


if __name__ == "__main__":
    main()
