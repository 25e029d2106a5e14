"""The toys of methods that the standard one does not fit: by key, what `check_method` is to use in its place."""

from dataclasses import replace
from functools import partial
from operator import attrgetter
from typing import Any

import numpy as np
import torch

from tacit.check import (
    GRAPHS,
    HYPERGRAPH,
    IMAGES,
    NODES,
    PARTS,
    QUICK,
    SERIES,
    TABLES,
    TEXTS,
    VECTORS,
    VIDEOS,
    Case,
    Toy,
    untrained,
    vectors,
)
from tacit.data.clouds.shapes import shapes
from tacit.data.generated import tiny_images
from tacit.data.images import ImageArrays
from tacit.data.interactions import generated_choices
from tacit.data.networks.generated import relations
from tacit.data.networks.triples import generated_grid, generated_groups, generated_tree
from tacit.data.sounds.generated import diphthongs
from tacit.data.text.generated import phrases
from tacit.data.vectors import VectorArrays
from tacit.data.video.generated import moving_letters
from tacit.evaluation.labelled.anomalies import auroc, centre_scores
from tacit.evaluation.labelled.clustering import cluster_accuracy, contingency
from tacit.evaluation.labelled.linear import linear
from tacit.evaluation.labelled.recommending import popularity, recommend
from tacit.judging.linking import links, reconstruction
from tacit.judging.recommending import by_towers, parts
from tacit.material import fit_views
from tacit.method import Batch, Trained
from tacit.methods.decorrelation.sie import turned
from tacit.methods.masked.sit import damaged
from tacit.methods.negatives.bss import restyled
from tacit.numerics import counter
from tacit.numerics.exact import unit
from tacit.parts.images.turns import turns
from tacit.views import Program
from tacit.views.kinds import Apart, Edited, MaskedTokens, Pair, Plain, Raster, Shuffled, Speeds


def toy(key: str) -> Toy | None:
    """The toy of a method; None where the standard one fits."""
    return TOYS.get(key)


def but(base: Toy, **options) -> Toy:
    """The same toy with some options changed."""
    return replace(base, options={**base.options, **options})


def probed(case: Case, trained: Trained) -> tuple[float, float]:
    """The accuracy of a linear probe within the training set: the untrained encoder's and a margin, and what is reached."""
    labels = torch.from_numpy(case.materials["main"].samples.labels)
    test = torch.arange(len(labels)) % 5 == 0
    before, after = (linear(z[~test], labels[~test], z[test], labels[test]).value for z in (untrained(case), trained.embed()))
    return before + 0.05, after


def agreed(case: Case, trained: Trained, head: str = "head") -> tuple[float, float]:
    """How often two looks choose the same output of the head, beyond chance: before training and a margin, and after."""
    samples, views = case.materials["main"].samples, fit_views(case.materials["main"].facts, case.config.views)
    index = np.arange(min(len(samples), 640))
    looks, _ = Program(Pair(), views)(samples.read(index)[0], index, 1)

    def beyond_chance(method: Any) -> float:
        with torch.no_grad():
            answers = (method.eval().represent(Batch([look], torch.from_numpy(index))) for look in looks)
            first, second = (attrgetter(head)(method)(answer).argmax(1) for answer in answers)
        usage = [torch.bincount(chosen, minlength=case.toy.options["k"]) / len(index) for chosen in (first, second)]
        return float((first == second).float().mean() - (usage[0] * usage[1]).sum())

    return beyond_chance(case.first_stage().method) + 0.1, beyond_chance(trained.method)


def filled(case: Case, trained: Trained) -> tuple[float, float]:
    """How often the node that is missing from a hyperedge is scored above another: of an untrained method and a margin, and
    what is reached."""
    samples, views = case.materials["main"].samples, fit_views(case.materials["main"].facts, case.config.views)
    (look,), _ = Program(Plain(), views)(samples.read(np.arange(len(samples)))[0], np.arange(len(samples)), 0)
    nodes, edges = look.whole
    several = torch.bincount(edges)[edges] > 1

    @torch.no_grad()
    def above(method: Any) -> float:
        z = method.eval().encoder(look)
        sums = torch.zeros(look.hyperedges, z.shape[1]).index_add_(0, edges, z[nodes])
        scores = unit(method.query(sums[edges] - z[nodes])) @ unit(method.key(z)).T
        return float((scores < scores.gather(1, nodes[:, None]))[several].float().mean())

    fresh = Case(case.cls, case.toy, warm_up=0).first_stage().method
    return above(fresh) + 0.1, above(trained.method)


def unedited(case: Case, trained: Trained) -> tuple[float, float]:
    """How often the copy without edits is found among five, on copies that training did not see: what is more than chance
    and the untrained scorer, and what is reached."""
    samples, views = case.materials["main"].samples, fit_views(case.materials["main"].facts, case.config.views)
    index = np.arange(len(samples))
    (view,), (drawn,) = Program(Edited(), views)(samples.read(index)[0], index, 1)
    with torch.no_grad():
        scores = trained.method.eval().scorer(trained.method.encoder(view)).view(drawn["distance"].shape)
    return 0.5, float((scores.argmax(1) == 0).float().mean())


def heard(case: Case) -> Batch:
    """All sounds of a toy once, by looks that training did not see."""
    samples, views = case.materials["main"].samples, fit_views(case.materials["main"].facts, case.config.views)
    index = np.arange(len(samples))
    (look,), _ = Program(case.cls.views, views)(samples.read(index)[0], index, 1)
    return Batch([look], torch.from_numpy(index), key=1)


@torch.no_grad()
def foreseen(case: Case, trained: Trained) -> tuple[float, float]:
    """How often the first latent that is to be predicted scores above another of its sound: chance and a margin, and what is
    reached."""
    method, batch = trained.method.eval(), heard(case)
    z = method.encoder.sequence(batch.views[0])
    told = method.predict(method.context(z))[:, : -method.offset, : z.shape[2]]
    right, every = (told * z[:, method.offset :]).sum(2, keepdim=True), torch.einsum("ntd,nsd->nts", told, z)
    others = z.shape[1] - 1
    return 0.55, float(((every < right).sum(2) / others).mean())


@torch.no_grad()
def matched(case: Case, trained: Trained) -> tuple[float, float]:
    """How often a hidden patch is found among those of its sound: an untrained method's share and a margin, and what is
    reached."""
    batch = heard(case)

    def share(method: Any) -> float:
        out, patches = method.eval().hide(method.encoder.patches(batch.views[0]), batch, "told")
        found = torch.einsum("nid,njd->nij", patches, method.tell(out)).argmax(2)
        return float((found == torch.arange(found.shape[1])).float().mean())

    return share(case.first_stage().method) + 0.05, share(trained.method)


def ranked(case: Case, trained: Trained) -> tuple[float, float]:
    """The filtered MRR of triples that training did not see: what half as much would be, and what is reached."""
    samples = case.toy.data().fitted(case.materials["main"].facts)
    true = torch.from_numpy(samples.triples)
    test = true[samples.splits == "test"]
    return 0.4, links(trained.method, test, true, len(samples.entities))[0].value


def rebuilt(case: Case, trained: Trained) -> tuple[float, float]:
    """The mAP of a tree's links."""
    true = case.materials["main"].samples.context.triples
    return 0.9, reconstruction(trained.method, true, true, int(true.max()) + 1)[0].value


def found_again(case: Case, trained: Trained) -> tuple[float, float]:
    """How often a clip is nearest to the other clip of its video: of an untrained encoder and a margin, and what is reached."""
    samples, views = case.materials["main"].samples, fit_views(case.materials["main"].facts, case.config.views)
    index = np.arange(len(samples))
    (view,), _ = Program(Apart(), views)(samples.read(index)[0], index, 1)

    @torch.no_grad()
    def share(encoder: Any) -> float:
        first, second = (unit(z - z.mean(0)) for z in (encoder.eval()(clip) for clip in view.unbind(1)))
        return float(((first @ second.T).argmax(1) == torch.arange(len(first))).float().mean())

    return share(case.first_stage().method.encoder) + 0.1, share(trained.method.encoder)


def ordered(case: Case, trained: Trained) -> tuple[float, float]:
    """How often the order of four frames is told, in draws of its own: half more than chance, and what is reached."""
    samples, views = case.materials["main"].samples, fit_views(case.materials["main"].facts, case.config.views)
    index = np.arange(len(samples))
    program = Program(Shuffled(of=case.cls.views.of), views)
    (view,), (drawn,) = program(samples.read(index)[0], index, 1)
    with torch.no_grad():
        told = trained.method.eval().logits(view, Batch([view], torch.from_numpy(index))).argmax(1)
    return 1.5 / 12, float((told == drawn["order"]).float().mean())


def paced(case: Case, trained: Trained) -> tuple[float, float]:
    """How often the clip of equal speed is nearer than the other: beyond chance and a margin, and what is reached."""
    samples, views = case.materials["main"].samples, fit_views(case.materials["main"].facts, case.config.views)
    index = np.arange(len(samples))
    (view,), _ = Program(Speeds(), views)(samples.read(index)[0], index, 1)
    method = trained.method.eval()
    with torch.no_grad():
        query, same, other = (unit(method.speed(method.encoder(clip))) for clip in view.unbind(1))
    return 0.6, float(((query * same).sum(1) > (query * other).sum(1)).float().mean())


def recommended(case: Case, trained: Trained) -> tuple[float, float]:
    """nDCG at 10 of what users chose later: of popularity and a margin, and what is reached."""
    samples = case.toy.data().fitted(case.materials["main"].facts)
    seen, wanted, _ = parts(samples)
    count = len(samples.log.items)
    towers = by_towers(trained.method.eval().encoder, samples, torch.device("cpu"))
    plain, reached = (
        recommend(scores, seen, wanted, np.ones(count, bool)).ndcg for scores in (popularity(seen, count), towers)
    )
    return plain + 0.1, reached


def recognised(case: Case, trained: Trained) -> tuple[float, float]:
    """How often a look in one style is nearest to the look at its image in another: of an untrained encoder and a margin, and
    what is reached."""
    samples, views = case.materials["main"].samples, fit_views(case.materials["main"].facts, case.config.views)
    index = np.arange(len(samples))
    looks, _ = Program(Pair(), views)(samples.read(index)[0], index, 1)
    lenders = (index == 3, index == 8)
    styled = [restyled(look, torch.from_numpy(one).float(), torch.tensor(0.1)) for look, one in zip(looks, lenders)]

    @torch.no_grad()
    def share(encoder: Any) -> float:
        first, second = (unit(z - z.mean(0)) for z in (encoder.eval()(look) for look in styled))
        return float(((first @ second.T).argmax(1) == torch.arange(len(index))).float().mean())

    return share(case.first_stage().method.encoder) + 0.05, share(trained.method.encoder)


def upright(case: Case, trained: Trained) -> tuple[float, float]:
    """How often a letter's turn is told, of looks that training did not see: twice chance, and what is reached."""
    samples, views = case.materials["main"].samples, fit_views(case.materials["main"].facts, case.config.views)
    index = np.arange(len(samples))
    (look,), _ = Program(Raster(), views)(samples.read(index)[0], index, 1)
    with torch.no_grad():
        method = trained.method.eval()
        turned, which = turns(look)
        return 0.5, float((method.head(method.encoder(turned)).argmax(1) == which).float().mean())


def undamaged(case: Case, trained: Trained) -> tuple[float, float]:
    """How often a damaged look is nearest to the other damaged look at its letter: of an untrained method and a margin, and
    what is reached."""
    samples, views = case.materials["main"].samples, fit_views(case.materials["main"].facts, case.config.views)
    index = np.arange(len(samples))
    looks, _ = Program(Raster(looks=2), views)(samples.read(index)[0], index, 1)
    batch = Batch(looks, torch.from_numpy(index), key=1)
    marred = [damaged(look, batch, f"{v}")[0] for v, look in enumerate(looks)]

    @torch.no_grad()
    def share(method: Any) -> float:
        first, second = (unit(method.contrast(method.eval().represent(Batch([look], batch.index)))) for look in marred)
        return float(((first @ second.T).argmax(1) == batch.index).float().mean())

    return share(case.first_stage().method) + 0.1, share(trained.method)


def within_clusters(case: Case, trained: Trained) -> tuple[float, float]:
    """How often super-cluster and cluster of a letter are told, whichever way it is turned, of looks that training did not
    see: four times chance, and what is reached."""
    samples, views = case.materials["main"].samples, fit_views(case.materials["main"].facts, case.config.views)
    index = np.arange(len(samples))
    (look,), _ = Program(Raster(), views)(samples.read(index)[0], index, 1)
    method = trained.method.eval()
    images, turn = turns(look)
    with torch.no_grad():
        x = method.encoder(images).relu()
        above = method.head(x).softmax(1).unflatten(1, (4, -1)).sum(1).argmax(1)
        within = method.heads_within(x).unflatten(1, (method.pairs, -1))[torch.arange(len(x)), turn * method.above + above]
    told = torch.stack([above, within.argmax(1)], 1) == method.assigned.repeat(4, 1)
    return 4 / (method.above * method.within), float(told.all(1).float().mean())


def letters(n: int) -> ImageArrays:
    """Single frames of letters that stand upright."""
    frames = moving_letters(n, size=16, frames=2)
    pixels = np.ascontiguousarray(frames.store.values[:, 0])
    return ImageArrays("letters", pixels, np.arange(n), frames.ids, frames.labels, frames.classes, frames.splits)


EASY = {"crop": [1.0, 1.0], "ratio": [1.0, 1.0], "shift": 0, "split_colours": 0.0}
CHOICES = Toy(generated_choices, {**QUICK, "width": 16, "epochs": 20}, elsewhere=False, score=recommended)


def beyond_raw(case: Case, trained: Trained) -> tuple[float, float]:
    """The accuracy of a linear probe of nodes: of their features and a margin, and what is reached."""
    samples = case.materials["main"].samples
    labels, test = torch.from_numpy(samples.labels), torch.arange(len(samples)) % 5 == 0
    raw = torch.from_numpy(samples.graph.described).float()
    before, after = (linear(z[~test], labels[~test], z[test], labels[test]).value for z in (raw, trained.embed()))
    return before + 0.1, after


def told(case: Case, trained: Trained) -> tuple[float, float]:
    """The share of hidden tokens told right: four times that of always telling the most frequent one, and what is reached."""
    samples, views = case.materials["main"].samples, fit_views(case.materials["main"].facts, case.config.views)
    index = np.arange(len(samples))
    (view,), (drawn,) = Program(MaskedTokens(), views)(samples.read(index)[0], index, 1)
    hidden, method = drawn["hidden"], trained.method.eval()
    with torch.no_grad():
        rows = method.head(method.encoder.tokens(view)[hidden])
        guess = (rows @ method.encoder.table.weight[1:].T + method.bias).argmax(1) + 1
    original = drawn["original"][hidden]
    return 4 * float((original == original.mode().values).float().mean()), float((guess == original).float().mean())


TRIPLES = Toy(generated_groups, {**QUICK, "width": 32, "lr": 3e-2, "epochs": 30}, elsewhere=False, score=ranked)


def outliers(case: Case, trained: Trained) -> tuple[float, float]:
    """The AUROC by which rows with some values replaced are told from rows as they are, by the cosine with their mean."""
    samples, views = case.materials["main"].samples, fit_views(case.materials["main"].facts, case.config.views)
    index = np.arange(640)
    (plain,), _ = Program(Plain(), views)(samples.read(index)[0], index, 1)
    batch = Batch([plain], torch.from_numpy(index), key=7)
    draws = (2 * batch.uniform("value", plain.shape[1]) - 1) * 1.7
    broken = torch.where(batch.uniform("which", plain.shape[1]) < 0.3, draws, plain)
    with torch.no_grad():
        inside, outside = (trained.method.eval().represent(Batch([rows], batch.index)) for rows in (plain, broken))
    return 0.8, auroc(centre_scores(inside, inside), centre_scores(inside, outside))


def foretold(case: Case, trained: Trained) -> tuple[float, float]:
    """How often what is foretold of a look is nearest to it, of eight turns of the same letter: of an untrained method and a
    margin, and what is reached."""
    samples, views = case.materials["main"].samples, fit_views(case.materials["main"].facts, case.config.views)
    index = np.arange(len(samples))
    looks, _ = Program(Raster(looks=1), views)(samples.read(index)[0], index, 1)
    turns = torch.linspace(-1, 1, 8) * torch.pi / 2

    @torch.no_grad()
    def share(method: Any) -> float:
        stood, *others = (
            method.eval().projected(turned(looks[0], torch.full((len(index),), float(turn))))[1] for turn in (0, *turns)
        )
        ways = (torch.tensor([turn.cos(), turn.sin(), 0.0]).expand(len(index), 3) for turn in turns)
        told = [
            torch.stack([(unit(method.moved(stood, way)) * unit(other)).sum(1) for other in others]).argmax(0) for way in ways
        ]
        return float((torch.stack(told) == torch.arange(8)[:, None]).float().mean())

    return share(case.first_stage().method) + 0.2, share(trained.method)


def rejoined(case: Case, trained: Trained) -> tuple[float, float]:
    """How often a look is nearest to another look at its image, of looks that training did not see: half more than of an
    untrained encoder, and what is reached."""
    samples, views = case.materials["main"].samples, fit_views(case.materials["main"].facts, case.config.views)
    index = np.arange(min(len(samples), 640))
    looks, _ = Program(Pair(), views)(samples.read(index)[0], index, 1)

    @torch.no_grad()
    def share(encoder: Any) -> float:
        first, second = (unit(z - z.mean(0)) for z in (encoder.eval()(look) for look in looks))
        return float(((first @ second.T).argmax(1) == torch.arange(len(index))).float().mean())

    return 1.5 * share(case.first_stage().method.encoder), share(trained.method.encoder)


LOOKS = but(replace(IMAGES, score=rejoined), depth=[1], epochs=16)


def gathered(case: Case, trained: Trained) -> tuple[float, float]:
    """How much of the memberships is among samples of one class: of an untrained method and a margin, and what is reached."""
    samples, views = case.materials["main"].samples, fit_views(case.materials["main"].facts, case.config.views)
    index = np.arange(256)
    (look,), _ = Program(Plain(), views)(samples.read(index)[0], index, 1)
    alike = torch.from_numpy(samples.labels[index, None] == samples.labels[index])

    @torch.no_grad()
    def within(method: Any) -> float:
        return float((method.memberships(method.cluster_head(method.eval().encoder(look).relu())) * alike).sum() / len(index))

    return within(case.first_stage().method) + 0.2, within(trained.method)


def letters_on_cloth(n: int) -> ImageArrays:
    """Letters laid half over cloth, which has nothing to do with them; labelled by the letter."""
    upper, under = letters(n), tiny_images(n)
    return replace(upper, pixels=upper.pixels // 2 + under.pixels[under.rows] // 2)


def dimmed_cloth(n: int) -> ImageArrays:
    """Other cloth, as it shows behind letters."""
    cloth = tiny_images(n, seed=1)
    return replace(cloth, pixels=cloth.pixels // 2)


def spoken_of(case: Case, trained: Trained) -> tuple[float, float]:
    """The AUROC by which longer salient codes tell letters on cloth from cloth that training did not see: of an untrained
    method and a margin, and what is reached."""
    views = fit_views(case.materials["main"].facts, case.config.views)
    index = np.arange(320)
    sets = case.materials["main"].samples, dimmed_cloth(960).take(640 + index)
    looks = [Program(Plain(), views)(samples.read(index)[0], index, 1)[0][0] for samples in sets]

    @torch.no_grad()
    def told_apart(method: Any) -> float:
        salient = [method.eval().represent(Batch([look], torch.from_numpy(index))).chunk(2, 1)[1] for look in looks]
        letters, cloth = (method.salient_head(code).norm(dim=1) for code in salient)
        return auroc(cloth, letters)

    return told_apart(case.first_stage().method) + 0.2, told_apart(trained.method)


OF_DOMAINS = np.array([[7, 1, 1, 1], [1, 7, 1, 1], [1, 1, 7, 1], [1, 1, 1, 7], [4, 4, 1, 1]]) / 10  # shares of classes


def in_domains() -> VectorArrays:
    """Vectors of four classes whose labels say from which of five domains they come."""
    samples = vectors()
    of_class = OF_DOMAINS / OF_DOMAINS.sum(0)
    draws = counter.uniform(counter.key("domains"), np.arange(len(samples)), 1)
    domain = (of_class.cumsum(0).T[samples.labels] < draws).sum(1)
    return replace(samples, labels=domain, classes=tuple(f"domain {one}" for one in range(5)))


def classes_found(case: Case, trained: Trained) -> tuple[float, float]:
    """The accuracy of classes under the best matching, of samples whose domain is known: twice chance, and what is reached."""
    samples, views = case.materials["main"].samples, fit_views(case.materials["main"].facts, case.config.views)
    index = np.arange(len(samples))
    (look,), _ = Program(Plain(), views)(samples.read(index)[0], index, 0)
    with torch.no_grad():
        found = trained.method.eval().posterior(look, torch.from_numpy(samples.labels)).argmax(1)
    return 0.5, cluster_accuracy(contingency(found, torch.from_numpy(vectors().labels[samples.rows])))


# Where something is held, epochs have two batches: what is held for one is let go within the steps that two processes take,
# what is held for six only after the step at which a run is killed.
TOYS: dict[str, Toy] = {
    "grace": NODES,
    "vgae": but(NODES, lr=0.01),
    "gcool": but(NODES, communities=4),
    "scgc": Toy(  # what neighbours say, since features alone are more of styles than of fields
        NODES.data,
        {**QUICK, "lr": 1e-3, "batch": 1280, "epochs": 60, "widths": [64], "width": 16}
        | {"warm_up": 30, "clusters": 4, "sharpness": 2.0},
    ),
    "deepwalk": Toy(NODES.data, {"width": 16, "walks": 3, "length": 20}),
    "node2vec": Toy(NODES.data, {"width": 16, "walks": 10, "length": 40, "window": 5, "back": 0.5, "away": 2.0}),
    "line": Toy(NODES.data, {"width": 16, "draws": 100}),
    "sent2vec": Toy(TEXTS.data, {"width": 32, "buckets": 2000, "passes": 20, "rate": 2.0, "subsample": 1e-3}, elsewhere=False),
    # On cloth of 12 pixels SimCLR too falls below the untrained encoder. A flat net, since eight crops through a deep one
    # have so many ReLUs that rounding flips some: there one process, its weights moved by 6e-8, differs from itself by 1e-4.
    "swav": but(
        replace(IMAGES, data=partial(tiny_images, 1280), elsewhere=False),
        **{"depth": [1], "local_size": 12, "local_crop": [0.5, 1.0], "temperature": 0.2},
        **{"epoch_batches": 2, "epochs": 160, "hold": {"prototypes": 1, "projector": 6}},
        **{"prototypes": 32, "hidden": 64, "dim": 32, "queue": 128, "queue_from": 0, "epsilon": 0.1},
    ),
    # Its clusters follow colour and light, which these views hardly change, and not the pattern: it is asked whether there are
    # clusters. Without the head's norms they collapse into one here.
    "dino": but(
        replace(IMAGES, data=partial(tiny_images, 1280), elsewhere=False, score=agreed),
        **{
            "depth": [1],
            "local_size": 12,
            "local_crop": [0.5, 1.0],
            "weight_decay": 1e-4,
            "decay_growth": 1,
        },
        **{"epoch_batches": 2, "epochs": 80, "hold": {"head.directions": 1, "head.layers": 6}},
        **{"k": 64, "hidden": 64, "bottleneck": 32, "norm": True, "teacher_momentum": 0.95, "sharpening": [0.03, 0.03]},
    ),
    "sit": Toy(
        partial(letters, 640),
        {**QUICK, "flip": 0.0, "crop": [0.8, 1.0], "jitter": 0.0, "grey": 0.0, "lr": 1e-3, "epochs": 20}
        | {"patch": 4, "width": 64, "depth": 2, "heads": 2, "dim": 32, "hidden": 64},
        elsewhere=False,
        score=undamaged,
    ),
    "mae": but(  # of 12 pixels a patch would be one; kNN sees little of what a linear probe finds (He et al. 2021, section 4)
        replace(IMAGES, data=partial(tiny_images, 1280), elsewhere=False, score=probed),
        **{"patch": 4, "width": 64, "depth": 2, "heads": 2},
        **{"decoder_width": 32, "decoder_depth": 1, "decoder_heads": 2},
    ),
    "mixedae": but(
        replace(IMAGES, data=partial(tiny_images, 1280), elsewhere=False, score=probed),
        **{"patch": 4, "width": 64, "depth": 2, "heads": 2, "attended": 0.5, "epochs": 24},
        **{"decoder_width": 32, "decoder_depth": 1, "decoder_heads": 2},
    ),
    "dcglr": but(
        replace(IMAGES, data=partial(tiny_images, 1280), elsewhere=False, score=agreed),
        **{"depth": [1], "local_size": 12, "local_crop": [0.5, 1.0], "weight_decay": 1e-4, "decay_growth": 1},
        **{"epoch_batches": 2, "epochs": 80, "hold": {"head.directions": 1, "head.layers": 6}},
        **{"k": 64, "hidden": 64, "bottleneck": 32, "norm": True, "teacher_momentum": 0.95, "teacher_temperature": 0.03},
    ),
    "point_mae": Toy(
        partial(shapes, 640),
        {**QUICK, "points": 64, "crop": [1.0, 1.0], "groups": 8, "near": 12, "width": 48, "depth": 2, "heads": 2, "epochs": 12}
        | {"mask_patches": 8, "mask_points": 12, "decoder_depth": 1, "decoder_heads": 2, "drawn": 12},
        elsewhere=False,
        score=probed,
    ),
    "wav2vec": Toy(
        partial(diphthongs, 320),
        {**QUICK, "width": 32, "strides": [10, 8], "kernels": [20, 12], "seconds": 0.3}
        | {"steps": 4, "context_layers": 2, "negatives_each": 1, "epochs": 30},
        elsewhere=False,
        score=foreseen,
    ),
    "ssast": Toy(
        partial(diphthongs, 320),
        {**QUICK, "width": 48, "depth": 2, "heads": 2, "seconds": 0.3, "cluster": [1, 3], "hidden_share": 0.5, "epochs": 12},
        elsewhere=False,
        score=matched,
    ),
    "hypeboy": but(replace(HYPERGRAPH, score=filled), decoder_depth=1, decoder_dropout=0.0, drop_hyperedges=0.5),
    "ssl_item_recs": CHOICES,
    # The default encoder adds up nodes, so distances are large: with the paper's weights, or through a deep net, a step
    # of SGD is so long that rounding flips ReLUs, and two processes differ from one.
    "d_sla": but(
        replace(GRAPHS, score=unedited),
        **{"width": 16, "depth": 1, "edit_mask": 0.2, "epochs": 20, "edit_weight": 0.001, "margin_weight": 0.01},
    ),
    "distmult": TRIPLES,
    "transe": but(replace(TRIPLES, data=generated_grid), epochs=250, order=2),  # groups are symmetric, which a step is not
    "bilinear": but(TRIPLES, width=16),
    "ntn": but(TRIPLES, width=8),
    "fisher_info_embedding": Toy(NODES.data, {"kernel_width": 64, "mixtures": 2}, elsewhere=False, score=beyond_raw),
    "poincare_embeddings": Toy(generated_tree, {"rounds": 300, "burn_in": 10}, elsewhere=False, score=rebuilt),
    "cvrl": but(replace(VIDEOS, score=found_again), hidden=32, dim=16, depth=[1], temperature=1.0, jitter=0.2, epochs=12),
    "rspnet": but(replace(VIDEOS, score=paced), dim=16, queue=256, teacher_momentum=0.95, frames=6, jitter=0.2, epochs=12),
    "rotnet": Toy(
        partial(letters, 640),
        {**QUICK, "width": 16, "depth": [1], "flip": 0.0, "epochs": 12},
        elsewhere=False,
        score=upright,
    ),
    "jigclu": Toy(
        partial(tiny_images, 1280),
        {**QUICK, "width": 16, "depth": [1], "dim": 32, "epochs": 6},
        elsewhere=False,
        score=probed,
    ),
    "pixpro": but(  # its maps are judged in its claim; of a mean over the map kNN tells less
        replace(IMAGES, elsewhere=False, gain=0.05),
        **{"depth": [1], "dim": 32, "hidden": 64, "teacher_momentum": 0.9, "epochs": 24},
    ),
    "sla": but(  # a stripe turned is another class, so the labels beside the turn are needed; it learns from labels
        replace(IMAGES, elsewhere=False),
        **{"depth": [1], "epochs": 6},
    ),
    "subspace_learners": but(  # it learns from labels, in batches of 32
        replace(IMAGES, data=partial(tiny_images, 640, size=12), elsewhere=False),
        **{"depth": [1], "dim": 32, "patience": 2, "epochs": 6},
    ),
    "g_simclr": but(replace(IMAGES, elsewhere=False), depth=[1], clusters=160, dim=32, epochs=12),
    "opn": but(
        replace(VIDEOS, data=partial(moving_letters, 640), score=ordered),
        hidden=64,
        compared=32,
        dropped=0.0,
        grid=4,
        frames=14,
        **EASY,
        epochs=24,
    ),
    "composition_cse": but(replace(TEXTS, elsewhere=False), dims=32),
    "clusterns": but(TEXTS, crop=[0.5, 1.0], drop=0.1, clusters=8, start=1.0),
    "dclr": but(TEXTS, crop=[0.5, 1.0], drop=0.1, warm_up=4),
    "simcse": but(TEXTS, crop=[0.5, 1.0], drop=0.1),  # dropout of the encoder differs between one process and two
    "mlm": but(replace(TEXTS, data=partial(phrases, 1280), score=told), width=32, depth=1, heads=1, epochs=15),
    "moco_v2": but(VECTORS, queue=512, teacher_momentum=0.99),
    # The papers' heads are wider than a toy has samples.
    "barlow_twins": but(VECTORS, dim=64),
    "vicreg": but(VECTORS, dim=64),
    "tldr": but(VECTORS, dim=64),
    "byol": but(VECTORS, dim=64, hidden=256),
    "clan": but(replace(TABLES, score=outliers), batch=256, norms=False, epochs=60, corruption=0.2),
    "infomgf": but(
        replace(NODES, data=partial(relations, 400), elsewhere=False),
        **{"alike": 5, "dim": 32, "epochs": 24, "lr": 3e-3},
    ),
    "lfr": but(replace(TABLES, gain=0.04), projector_width=64),  # what it predicts holds all of a row, not only the class
    "isoalign": but(SERIES, dim=32, scales=8, epochs=8, width=16, depth=2),
    "cpc": Toy(SERIES.data, {**QUICK, "width": 32, "ahead": 4, "negatives": 32, "epochs": 24}, score=probed),
    "t_jepa": but(
        replace(TABLES, elsewhere=False, score=probed),
        **{"width": 32, "depth": 2, "heads": 2, "epochs": 20, "predictor_width": 32, "predictor_depth": 1},
        teacher_momentum=0.95,
    ),
    "convirt": but(PARTS, dim=32),
    "meru": but(PARTS, dim=32),
    "simsiam": but(VECTORS, dim=256, hidden=64),
    "directpred": but(VECTORS, dim=64, hidden=256, teacher_momentum=0.9),
    "decoupled_uniformity": but(VECTORS, dim=64, hidden=128),
    "isogclr": but(VECTORS, dim=64),
    "scatsimclr": Toy(
        partial(letters, 640),
        {**QUICK, "width": 16, "depth": [1], "flip": 0.0, "crop": [0.75, 1.0], "jitter": 0.0, "grey": 0.0, "epochs": 20}
        | {"dropped": 0.0, "dim": 32, "pretext": 10.0},  # dropout differs between one process and two
        elsewhere=False,
        score=upright,
    ),
    "deepercluster": Toy(
        partial(letters, 640),
        {
            **QUICK,
            "width": 16,
            "depth": [1],
            "flip": 0.0,
            "epochs": 20,
            "clusters": 16,
            "super_clusters": 2,
            "refresh": 10,
        },
        elsewhere=False,
        score=within_clusters,
    ),
    "jule": but(VECTORS, clusters=4, dim=16, merged_every=2, epochs=12, noise=0.0, drop=0.0),
    "unicom": but(VECTORS, clusters=16, compared=0.5),
    "clusterfit": but(VECTORS, clusters=16),
    "scan": but(VECTORS, clusters=4, threshold=0.7, epochs=4),
    "odc": but(VECTORS, clusters=8, least_members=10, dim=32, hidden=64, dropped=0.2),
    "sela": but(VECTORS, labels=8, label_sets=2, relabellings=8),
    "myow": but(VECTORS, dim=64, hidden=128, mined_dim=32, mined_hidden=64, ramp=[0.0, 0.1], teacher_momentum=0.9),
    # Classes of cloth and of single letters are hardly learned by SimCLR itself at this size.
    "bss": Toy(
        partial(letters, 640),
        {**QUICK, "width": 16, "depth": [1], "flip": 0.0, "crop": [0.8, 1.0], "epochs": 12},
        elsewhere=False,
        score=recognised,
    ),
    "mcl": but(VECTORS, dim=64, rounds=2, clusters=2),
    "mochi": but(VECTORS, queue=512, teacher_momentum=0.99, hardest=32, mixed=16, harder=8, start=0.1),
    "sie": Toy(
        partial(letters, 640),
        {**QUICK, "width": 16, "depth": [1], "crop": [0.8, 1.0], "dim": 32, "epochs": 40},
        elsewhere=False,
        score=foretold,
    ),
    "feature_transform": but(LOOKS, queue=512, temperature=0.1, teacher_momentum=0.99),
    "invariance_propagation": but(LOOKS, temperature=0.1, hidden=64, dim=32, hardest=10, background=256, start=0.1, epochs=24),
    "mocl_hnf": but(LOOKS, queue=512, hardest=128, temperature=0.1, teacher_momentum=0.99),
    "beclr": but(LOOKS, dim=32, memory=512, clusters=16, neighbours=3, recluster=4, start=0.2, apart=1.0, temperature=0.5),
    "mugs": but(
        replace(LOOKS, elsewhere=False),
        **{"small_crops": 2, "local_size": 12, "local_crop": [0.5, 1.0], "weight_decay": 1e-4, "decay_growth": 1, "hold": {}},
        **{
            "k": 32,
            "hidden": 32,
            "dim": 16,
            "queue": 256,
            "neighbours": 4,
            "group_heads": 2,
            "norm": True,
            "teacher_momentum": 0.95,
        },
    ),
    "cotap": but(
        replace(IMAGES, elsewhere=False, gain=0.05),
        **{"depth": [1], "lr": 1e-3, "prototypes": 32, "neighbours": 3, "queries": 8, "teacher_momentum": 0.9},
    ),
    "udi": Toy(
        partial(letters, 640),
        {
            **QUICK,
            "lr": 5e-4,
            "width": 32,
            "depth": 1,
            "heads": 2,
            "patch": 4,
            "weight_decay": 1e-4,
            "decay_growth": 1,
            "hold": {},
        }
        | {
            "flip": 0.0,
            "crop": [0.7, 1.0],
            "jitter": 0.0,
            "grey": 0.0,
            "local_crop": [0.5, 0.8],
            "local_size": 8,
            "small_crops": 1,
        }
        | {"k": 32, "hidden": 64, "attention_heads": 2, "windows": [2, 1], "teacher_momentum": 0.95, "sharpening": [0.04, 0.04]}
        | {"epochs": 20},
        elsewhere=False,
        score=partial(agreed, head="said.head"),
    ),
    "obow": but(replace(LOOKS, elsewhere=False), local_size=12, queue=256, hardness=5.0, kappa=2.0, teacher_momentum=0.95),
    "cpp_rate_reduction": but(replace(VECTORS, score=gathered), dim=16, depth=1, warm_up=0.3, epochs=8),
    "mlc_manifold": but(IMAGES, dim=32, hidden=64, depth=[1], warm_up=0.7),
    "sepclr": Toy(
        partial(letters_on_cloth, 640),
        {**QUICK, "width": 16, "depth": [1], "flip": 0.0, "crop": [0.5, 1.0], "dim": 16, "epochs": 12}
        | {"salient": 2.0, "silence": 2.0, "independence": 1.0},  # with the paper's weights a step of SGD is too long
        streams={"background": partial(dimmed_cloth, 640)},
        score=spoken_of,
    ),
    "lls_ddfa": but(
        replace(VECTORS, data=in_domains, elsewhere=False, score=classes_found),
        **{"domains": 5, "classes": 4, "cells": 12, "noise": 0.1, "drop": 0.1},
    ),
}
