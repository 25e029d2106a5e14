"""A server beside the encoder alone; its memory over many requests; a full queue.

    python benchmarks/serve.py

Each part, and each turn, is stored in benchmarks/results/serve.json as soon as it is measured, and what is stored is not
measured again: a command that was broken off goes on. The rules:

rate    ViT-S (timm/vit_small_patch16_224) on JPEG files of 256 pixels, requests of 16, 64 clients at a time: at least 70 % of
        the rate at which `Run.embed` reads and embeds the same files, once the client's own processor time is taken off the
        wall clock (its seconds by the number of cores); no answer but 200. Turns alternate.
memory  100 000 requests of one text each, or as many as SECONDS allow, 16 clients: the median of the last tenth of what the
        process holds is at most 10 MB above that of the second tenth.
full    a queue of 64 images that is full: whoever comes then gets 429 with Retry-After, half of them in under 50 ms and 99 of
        100 in under half a second, while a batch takes longer.
"""

import asyncio
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

RESULTS = Path(__file__).parent / "results" / "serve.json"
IMAGES, CLIENTS, REQUEST, TURNS = 256, 64, 16, 3  # REQUEST: images of one
SHARE = 0.7
REQUESTS, SECONDS, FEW = 100_000, 3600, 16  # of the part memory; FEW: its clients
REFUSED = 200
Answer = tuple[int, dict[str, str], bytes, float]  # status, headers, body, seconds


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for name, part in (("memory", memory), ("full", full), ("rate", rate)):
            if "holds" not in stored().get(name, {}):
                keep(name, part(folder))
    print(json.dumps(stored(), indent=1))


def stored() -> dict[str, Any]:
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


def keep(name: str, found: dict[str, Any]) -> None:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    about = {"command": "python benchmarks/serve.py", "commit": commit, "cores": os.cpu_count(), "threads": threads()}
    RESULTS.write_text(json.dumps(stored() | {name: found | about}, indent=1) + "\n")
    print(name, json.dumps(found))


def threads() -> int:
    import torch

    return torch.get_num_threads()


def rate(folder: Path) -> dict[str, Any]:
    """The server's rate beside the encoder's, in turns."""
    vit(folder)
    files = [file.read_bytes() for file in sorted((folder / "photos").iterdir())]
    bodies = [multipart(files[at : at + REQUEST]) for at in range(0, IMAGES, REQUEST)]
    turns: list[dict[str, Any]] = stored().get("rate", {}).get("turns", [])
    with Server(folder / "vit", "--seconds", "3600", "--waiting", "2048") as server, Local(folder) as local:
        asyncio.run(sent(server.port, bodies[:1], 1))  # what is compiled or allocated once
        while len(turns) < TURNS:
            before = [os.getloadavg()[0], local.turn(), server.processor()]
            begun, own = time.perf_counter(), time.process_time()
            answers = asyncio.run(sent(server.port, bodies * (CLIENTS * REQUEST // IMAGES), CLIENTS))
            wall, client = time.perf_counter() - begun, time.process_time() - own
            images = REQUEST * len(answers)
            errors = sum(status != 200 for status, *_ in answers)
            vectors = [np.array(item["embedding"], np.float32) for a in answers[:1] for item in json.loads(a[2])["data"]]
            after = wall - client / (os.cpu_count() or 1)
            turns.append(
                {
                    "local images a second": before[1]["images"] / before[1]["wall"],
                    "served images a second": images / wall,
                    "after the client's cost": images / after,
                    "client seconds": client,
                    "wall seconds": wall,
                    "share": images / after / (before[1]["images"] / before[1]["wall"]),
                    "processor seconds an image, local": before[1]["processor"] / before[1]["images"],
                    "processor seconds an image, server": (server.processor() - before[2]) / images,
                    "errors": errors,
                    "off": float(np.abs(np.stack(vectors) - np.array(before[1]["first"])).max()),
                    "load": before[0],
                }
            )
            keep("rate", {"turns": turns})
        sizes = asyncio.run(server.metrics())
    share = statistics.median(turn["share"] for turn in turns)
    batch = sizes["tacit_batch_samples_sum"] / sizes["tacit_batch_samples_count"]
    holds = share >= SHARE and not any(turn["errors"] for turn in turns)
    return {"turns": turns, "share": share, "images a batch": batch, "requests": CLIENTS * TURNS, "holds": holds}


def memory(folder: Path) -> dict[str, Any]:
    """What the process holds over many requests."""
    import tacit
    from tacit.data.text.generated import topics

    samples = topics(2000)
    quick: dict[str, Any] = {"epochs": 1, "quiet": True, "device": "cpu"}
    tacit.pretrain(samples, "simcse", out=folder / "topics", **quick)
    said = samples.said(np.arange(2000))
    bodies = [post("/v1/embeddings", "application/json", json.dumps({"input": text}).encode()) for text in said]
    held: list[float] = []
    with Server(folder / "topics") as server:
        begun, load = time.perf_counter(), os.getloadavg()[0]
        done = errors = 0
        while done < REQUESTS and time.perf_counter() - begun < SECONDS:
            answers = asyncio.run(sent(server.port, bodies[:500], FEW))
            done += len(answers)
            errors += sum(status != 200 for status, *_ in answers)
            held.append(server.resident())
        seconds, load = time.perf_counter() - begun, [load, os.getloadavg()[0]]
    tenth = max(len(held) // 10, 1)
    grown = statistics.median(held[-tenth:]) - statistics.median(held[tenth : 2 * tenth])
    return {
        "requests": done,
        "errors": errors,
        "requests a second": done / seconds,
        "MB after each 500 requests": [round(value, 1) for value in held],
        "grown MB": grown,
        "load": load,
        "holds": grown <= 10 and not errors,
    }


def full(folder: Path) -> dict[str, Any]:
    """How soon those are refused who come to a full queue."""
    vit(folder)
    files = [file.read_bytes() for file in sorted((folder / "photos").iterdir())]
    many, one = multipart(files[:64]), multipart(files[:1])
    with Server(folder / "vit", "--waiting", "64", "--seconds", "900") as server:
        asyncio.run(sent(server.port, [one], 1))  # what is compiled or allocated once
        found, whole = asyncio.run(filled(server, many, one))
    took = sorted(seconds for *_, seconds in found)
    told = all(status == 429 and headers.get("retry-after") == "1" for status, headers, *_ in found)
    half, most = took[len(took) // 2], took[int(0.99 * len(took)) - 1]
    return {
        "refused": len(found),
        "median ms": 1000 * half,
        "99 of 100 in ms": 1000 * most,
        "seconds of the batch": whole[3],
        "load": os.getloadavg()[0],
        "holds": told and whole[0] == 200 and half < 0.05 and most < 0.5 and whole[3] > most,
    }


async def filled(server: "Server", many: bytes, one: bytes) -> tuple[list[Answer], Answer]:
    """Fill the queue with one request and come again while it is computed."""
    filling = asyncio.create_task(sent(server.port, [many], 1))
    while (await server.metrics())["tacit_waiting_samples"] < 64 and not filling.done():
        await asyncio.sleep(0.01)
    found: list[Answer] = []
    while len(found) < REFUSED and not filling.done():
        found += await sent(server.port, [one], 1)
        await asyncio.sleep(0.001)
    (whole,) = await filling
    if found[-1][0] == 200:
        found.pop()  # there was room again
    return found, whole


async def sent(port: int, bodies: list[bytes], clients: int) -> list[Answer]:
    """All requests by so many clients at a time, each on a connection of its own."""
    waiting, answers = list(enumerate(bodies)), dict[int, Answer]()

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while waiting:
            number, request = waiting.pop(0)
            begun = time.perf_counter()
            writer.write(request)
            await writer.drain()
            lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)}
            body = await reader.readexactly(int(headers["content-length"]))
            answers[number] = int(lines[0].split()[1]), headers, body, time.perf_counter() - begun
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(client() for _ in range(min(clients, len(bodies)))))
    return [answers[number] for number in range(len(bodies))]


def post(path: str, kind: str, body: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def multipart(files: list[bytes]) -> bytes:
    head = 'Content-Disposition: form-data; name="files"; filename="{}.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
    parts = [b"--parted\r\n" + head.format(number).encode() + file + b"\r\n" for number, file in enumerate(files)]
    return post("/v1/embeddings/upload", "multipart/form-data; boundary=parted", b"".join(parts) + b"--parted--\r\n")


def vit(folder: Path) -> None:
    """A run with a ViT-S, hardly trained, and a folder of photographs in the size that its views are cut from."""
    if (folder / "vit").exists():
        return
    from PIL import Image

    import tacit
    from tacit.data.generated import tiny_images

    made = tiny_images(IMAGES, size=256)
    (folder / "photos").mkdir()
    for number, pixels in enumerate(made.pixels):
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "JPEG", quality=90)
        (folder / "photos" / f"{number:04d}.jpg").write_bytes(file.getvalue())
    how: dict[str, Any] = {"size": 224, "epochs": 1, "batch": 4, "quiet": True, "device": "cpu"}
    tacit.pretrain(made.take(np.arange(8)), "simclr", out=folder / "vit", encoder="timm/vit_small_patch16_224", **how)


class Child:
    """A process beside this one, ended with it."""

    process: subprocess.Popen

    def __enter__(self):
        return self

    def __exit__(self, *_: Any) -> None:
        self.process.terminate()
        self.process.wait()


class Server(Child):
    def __init__(self, run: Path, *how: str):
        command = [sys.executable, "-m", "tacit", "serve", str(run), "--port", "0", "--device", "cpu", *how]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        line = next(line for line in self.process.stderr if "http://" in line)
        self.port = int(line.partition("http://")[2].split()[0].rpartition(":")[2])

    def processor(self) -> float:
        """Seconds that it has computed."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident(self) -> float:
        """MB that it holds."""
        status = dict(line.split(":", 1) for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines())
        return int(status["VmRSS"].split()[0]) / 1024

    async def metrics(self) -> dict[str, float]:
        request = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
        ((_, _, body, _),) = await sent(self.port, [request], 1)
        lines = [line.rpartition(" ") for line in body.decode().splitlines() if not line.startswith("#")]
        return {name: float(value) for name, _, value in lines}


class Local(Child):
    """The encoder alone, in a process of its own."""

    def __init__(self, folder: Path):
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen([sys.executable, __file__, "local", str(folder)], **pipes)
        self.process.stdout.readline()

    def turn(self) -> dict[str, Any]:
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def alone(folder: Path, told: Callable[[str], None] = lambda line: print(line, flush=True)) -> None:
    from tacit import Run

    run = Run(folder / "vit", "cpu")
    first = run.embed(folder / "photos", batch=64)[:REQUEST].tolist()
    told("ready")
    for _ in sys.stdin:
        begun, own = time.perf_counter(), time.process_time()
        images = len(run.embed(folder / "photos", batch=64))
        wall, processor = time.perf_counter() - begun, time.process_time() - own
        told(json.dumps({"images": images, "wall": wall, "processor": processor, "first": first}))


if __name__ == "__main__":
    alone(Path(sys.argv[2])) if len(sys.argv) > 1 else main()
