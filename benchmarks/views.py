"""Views of images a second, beside their rivals: `rivals/bin/python benchmarks/views.py`.

    python -m venv rivals && rivals/bin/pip install . lightly kornia albumentations opencv-python-headless
    OMP_NUM_THREADS=2 rivals/bin/python benchmarks/views.py          # all that is missing
    OMP_NUM_THREADS=2 rivals/bin/python benchmarks/views.py --row "SimCLR at 224" --again

The same operations with the same parameters, from decoded uint8 images of 375 × 500 (or 32 × 32) to standardised float32 in
one process; all take turns. Rivals as their documentation has them fastest: lightly's transforms on PIL images; torchvision
v2 on uint8 tensors, an image at a time, for a call on a batch draws once for all of it; kornia on float32 batches with
`cropping_mode="resample"`; albumentations with its own size of a blur's kernel. On two threads images are shared out to two
where a rival works on one at a time, and kornia has torch's two. From JPEG files (375 × 500, quality 90) the rival opens each
image once and cuts both views; tacit's first epoch holds the reading of all before training, which fills its cache.

The rules: SimCLR's two views at 224 at least 7 times lightly, 25 times torchvision v2 and kornia, no slower than
albumentations; DINO's multi-crop at least 7 times lightly; two views at 32 at least 22 times torchvision, 11 times kornia;
from JPEG at least 4 times PIL with torchvision in the first epoch, 7 times cached.
"""

import inspect
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import albumentations as A
import cv2
import kornia
import kornia.augmentation as K
import lightly
import numpy as np
import torch
import torchvision
from albumentations.pytorch import ToTensorV2
from lightly.transforms import DINOTransform, SimCLRTransform
from PIL import Image
from rows import Measure, Row, main, turns
from torch import Tensor
from torchvision.transforms import v2

from tacit import data
from tacit.data import caching, decoding, images
from tacit.data.checking import verify
from tacit.data.samples import Images
from tacit.numerics import counter
from tacit.views import Program, compiled, image, modality, pixels
from tacit.views.kinds import MultiCrop, Pair, View

TURNS = 5
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
BLUR = (0.1, 2.0)
DINO = {"brightness": 0.4, "contrast": 0.4, "saturation": 0.2, "hue": 0.1, "crop": (0.4, 1.0), "local_crop": (0.05, 0.4)}
DINO_BLURS = ({"blur": 1.0}, {"blur": 0.1, "solarise": 0.2}, *({"blur": 0.5},) * 6)
Work = Callable[[], Any]


def smooth(n: int, height: int, width: int) -> np.ndarray:
    """Images with large and small structure: uint8, n × height × width × 3."""
    coarse = torch.rand(n, 3, 9, 9, generator=torch.Generator().manual_seed(0))
    made = torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic")
    made = made + 0.05 * torch.randn(made.shape, generator=torch.Generator().manual_seed(1))
    return (made.clamp(0, 1) * 255).byte().permute(0, 2, 3, 1).contiguous().numpy()


def ours(arrays: np.ndarray, size: int, kind: View, **options: Any) -> Work:
    program = Program(kind, modality("image").fit({"size": size, "mean": MEAN, "std": STD}, **options))
    content = Images(torch.from_numpy(arrays), torch.tensor([arrays.shape[1:3]] * len(arrays)))
    index, epochs = np.arange(len(arrays)), iter(range(10**6))
    return lambda: program(content, index, next(epochs))


def one_by_one(look: Callable[[Any], list[Tensor]], shown: list[Any], threads: int) -> Work:
    """A rival that sees one image at a time, on so many threads, its views stacked to batches."""
    pool = ThreadPoolExecutor(threads)
    every = map if threads == 1 else pool.map
    return lambda: [torch.stack(view) for view in zip(*every(look, shown))]


def lightly_simclr(size: int, strength: float, crop: float, blur: float) -> SimCLRTransform:
    return SimCLRTransform(size, cj_strength=strength, min_scale=crop, gaussian_blur=blur, sigmas=BLUR)


def by_tensors(size: int, strength: float, crop: float, blur: float) -> Callable[[Tensor], list[Tensor]]:
    jitter = v2.ColorJitter(0.8 * strength, 0.8 * strength, 0.8 * strength, 0.2 * strength)
    steps: list[Any] = [v2.RandomResizedCrop(size, (crop, 1.0), antialias=True), v2.RandomHorizontalFlip()]
    steps += [v2.RandomApply([jitter], 0.8), v2.RandomGrayscale(0.2)]
    if blur:
        steps.append(v2.RandomApply([v2.GaussianBlur(int(0.1 * size) // 2 * 2 + 1, BLUR)], blur))
    whole = v2.Compose([*steps, v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)])
    return lambda picture: [whole(picture), whole(picture)]


def by_kornia(arrays: np.ndarray, size: int, strength: float, crop: float, blur: float) -> Work:
    s = 0.8 * strength
    steps: list[Any] = [K.RandomResizedCrop((size, size), scale=(crop, 1.0), cropping_mode="resample")]
    steps += [K.RandomHorizontalFlip(0.5), K.ColorJitter(s, s, s, s / 4, p=0.8), K.RandomGrayscale(p=0.2)]
    if blur:
        steps.append(K.RandomGaussianBlur((int(0.1 * size) // 2 * 2 + 1,) * 2, BLUR, p=blur))
    whole = K.AugmentationSequential(*steps, K.Normalize(torch.tensor(MEAN), torch.tensor(STD)))
    batch = torch.from_numpy(arrays).permute(0, 3, 1, 2).contiguous()

    @torch.inference_mode()
    def both() -> list[Tensor]:
        values = batch.float() / 255
        return [whole(values), whole(values)]

    return both


def by_albumentations(size: int, strength: float, crop: float, blur: float) -> Callable[[np.ndarray], list[Tensor]]:
    s, low = 0.8 * strength, max(0.0, 1 - 0.8 * strength)
    steps: list[Any] = [A.RandomResizedCrop((size, size), scale=(crop, 1.0)), A.HorizontalFlip(p=0.5)]
    steps += [A.ColorJitter((low, 1 + s), (low, 1 + s), (low, 1 + s), (-s / 4, s / 4), p=0.8), A.ToGray(p=0.2)]
    if blur:
        steps.append(A.GaussianBlur(sigma_limit=BLUR, p=blur))
    whole = A.Compose([*steps, A.Normalize(MEAN, STD), ToTensorV2()])
    return lambda array: [whole(image=array)["image"], whole(image=array)["image"]]


def simclr(n: int, height: int, width: int, size: int, threads: int) -> Row:
    torch.set_num_threads(threads)
    cv2.setNumThreads(0)
    arrays = smooth(n, height, width)
    options = (size, 1.0, 0.08, 0.5) if size > 64 else (size, 0.5, 0.2, 0.0)
    pictures, tensors = (
        [Image.fromarray(a) for a in arrays],
        [torch.from_numpy(a).permute(2, 0, 1).contiguous() for a in arrays],
    )
    works = {
        "tacit": ours(arrays, size, Pair()),
        "lightly": one_by_one(lightly_simclr(*options), pictures, threads),
        "torchvision v2": one_by_one(by_tensors(*options), tensors, threads),
        "kornia": by_kornia(arrays, *options),
        "albumentations": one_by_one(by_albumentations(*options), list(arrays), threads),
    }
    return measured(works, dict.fromkeys(works, 2 * n), 2 * n * 3 * size**2)


def parts(n: int) -> Row:
    """What tacit's views at 224 take with all of their operations, and without some, on one thread."""
    torch.set_num_threads(1)
    arrays, plain = smooth(n, 375, 500), {"jitter": 0.0, "grey": 0.0, "blur": 0.0}
    left = {"all": {}, "without blurs": {"blur": 0.0}, "without blurs and colours": plain}
    left["without them, of crops of one size"] = plain | {"crop": (0.268, 0.268), "ratio": (1.0, 1.0)}  # of 224 × 224
    works = {name: ours(arrays, 224, Pair(), **options) for name, options in left.items()}
    return measured(works, dict.fromkeys(works, 2 * n), 2 * n * 3 * 224**2)


def dino(n: int, threads: int) -> Row:
    torch.set_num_threads(threads)
    arrays = smooth(n, 375, 500)
    theirs = DINOTransform(sigmas=BLUR)  # 2 × 224 and 6 × 96 by default
    pictures = [Image.fromarray(a) for a in arrays]
    works = {
        "tacit": ours(arrays, 224, MultiCrop(of={"image": DINO_BLURS}), local_size=96, **DINO),
        "lightly": one_by_one(theirs, pictures, threads),
    }
    return measured(works, dict.fromkeys(works, 8 * n), n * 3 * (2 * 224**2 + 6 * 96**2))


def jpeg(n: int, threads: int) -> Row:
    """From files; the second of tacit's is an epoch after the first."""
    torch.set_num_threads(threads)
    with tempfile.TemporaryDirectory() as place:
        files = [Path(place, f"{i}.jpg") for i in range(n)]
        for file, array in zip(files, smooth(n, 375, 500)):
            Image.fromarray(array).save(file, quality=90)
        program = Program(Pair(), modality("image").fit({"size": 224, "mean": MEAN, "std": STD}))
        kept = verify(data.open(place))[0]
        look = lightly_simclr(224, 1.0, 0.08, 0.5)

        def epoch(samples: Any) -> None:
            for index in np.array_split(np.arange(n), max(1, n // 16)):
                program(samples.read(index)[0], index, 0)

        works = {
            "first epoch": lambda: epoch(verify(data.open(place))[0]),
            "cached": lambda: epoch(kept),
            "PIL and torchvision": one_by_one(lambda file: look(Image.open(file).convert("RGB")), files, threads),
        }
        size = sum(file.stat().st_size for file in files) // n
        first = measured(works, dict.fromkeys(works, n), 2 * n * 3 * 224**2)
        for by in ("seconds of the processor", "seconds"):
            once, later, theirs = (first[by][name] for name in works)
            first[f"ratio by {by}"] = {
                "PIL and torchvision, first epoch": [round(theirs / once, 2)] * 3,
                "PIL and torchvision, cached": [round(theirs / later, 2)] * 3,
            }
        return first | {"bytes of a file": size}


def measured(works: dict[str, Work], views: dict[str, int], values: int) -> Row:
    """All take turns after being called once; `values` come out of each call of the first, and could be copied in its limit."""
    for work in works.values():
        work()
    row = turns(TURNS, **works)
    source, copy = torch.rand(values), torch.empty(values)
    limit = turns(TURNS, copied=lambda: copy.copy_(source))["seconds"]["copied"]
    rate = {name: round(views[name] / row["seconds"][name]) for name in works}
    return row | {"a second": rate, "seconds that copying the views takes": limit}


TIMED = (pixels, compiled, image, counter, smooth, ours, one_by_one, measured)
RIVALS = (lightly_simclr, by_tensors, by_kornia, by_albumentations, simclr)
READ = (decoding, images, caching, inspect.getmodule(verify), jpeg)
MEASURES: dict[str, Measure] = {"parts at 224": Measure(lambda: parts(16), (*TIMED, parts))}
for threads, said in ((1, "one thread"), (2, "two threads")):
    MEASURES |= {
        f"SimCLR at 224, {said}": Measure(lambda t=threads: simclr(16, 375, 500, 224, t), (*TIMED, *RIVALS)),
        f"DINO's crops, {said}": Measure(lambda t=threads: dino(8, t), (*TIMED, dino)),
        f"SimCLR at 32, {said}": Measure(lambda t=threads: simclr(512, 32, 32, 32, t), (*TIMED, *RIVALS)),
        f"from JPEG, {said}": Measure(lambda t=threads: jpeg(32, t), (*TIMED, *READ)),
    }

if __name__ == "__main__":
    versions = {"torchvision": torchvision.__version__, "lightly": lightly.__version__, "kornia": kornia.__version__}
    main(__doc__, "views.json", MEASURES, versions | {"albumentations": A.__version__, "opencv": cv2.__version__})
