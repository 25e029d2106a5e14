"""Options find their owners, values their types, and a configuration comes back from its file as it was."""

import inspect
from dataclasses import replace

import numpy as np
import pytest
import torch
import yaml
from torch import nn

import tacit
from tacit import encoders
from tacit.config import OF_THE_RUN, Config, all_options, build_method, coerce, refuse_idle, route, stage_recipe
from tacit.errors import TacitError
from tacit.method import Batch, Encoder, Facts, Method, Paper, Recipe, Stage
from tacit.methods import find
from tacit.methods.contrast.npid import NPID
from tacit.methods.contrast.simclr import SimCLR
from tacit.methods.self_distillation.byol import BYOL
from tacit.views import modality
from tests.contracts.probes import FewLabels


def sent(method=SimCLR, kind="image", encoder="small_resnet", **given):
    return route(given, method, modality(kind), encoders.options(encoder))


def test_each_option_goes_to_its_owner():
    found = sent(temperature=0.2, dim=64, lr=0.1, hold={"encoder": 1}, crop=[0.5, 1.0], flip=0, width=8)
    assert found.method == {"temperature": 0.2, "dim": 64}
    assert found.recipe == {"lr": 0.1, "hold": {"encoder": 1}}
    assert found.views == {"crop": [0.5, 1.0], "flip": 0}
    assert found.encoder == {"width": 8}
    assert found.streams == {}


def test_a_stream_is_an_option():
    assert sent(FewLabels, "vector", "mlp", labelled="few.npz").streams == {"labelled": "few.npz"}
    with pytest.raises(TacitError, match="no option 'labelled'"):
        sent(labelled="few.npz")


@pytest.mark.parametrize(
    "wrong, right",
    [
        ("temprature", "temperature"),
        ("learning-rate", ""),
        ("wieght_decay", "weight_decay"),
        ("crops", "crop"),
        ("widht", "width"),
        ("metod", "method"),
        ("encodr", "encoder"),
        ("devise", "device"),
    ],
)
def test_a_misspelt_option_is_answered_with_the_nearest(wrong, right):
    with pytest.raises(TacitError, match=f"no option '{wrong}'; did you mean '{right}'" if right else wrong):
        sent(**{wrong: 1})


@pytest.mark.parametrize("name", ["mean", "std", "options"])
def test_what_tacit_measures_is_no_option(name):
    with pytest.raises(TacitError, match=f"no option '{name}'"):
        sent(**{name: 1})


@pytest.mark.parametrize(
    "wanted, given, found",
    [(float, 1, 1.0), (int, 2.0, 2), (int, 7, 7), (bool, False, False), (str, "x", "x"), (inspect.Parameter.empty, [1], [1])],
)
def test_values_are_as_annotated(wanted, given, found):
    value = coerce("it", given, inspect.Parameter("it", inspect.Parameter.KEYWORD_ONLY, annotation=wanted))
    assert value == found and type(value) is type(found)


@pytest.mark.parametrize(
    "wanted, given, words",
    [
        (int, 2.5, "it is 2.5; it must be a whole number"),
        (int, "three", "it is 'three'; it must be a whole number"),
        (int, True, "it is True; it must be a whole number"),
        (int, float("nan"), "whole number"),
        (float, "much", "a number"),
        (float, True, "it is True; it must be a number"),
        (bool, 1, "true or false"),
        (str, 3, "a word"),
    ],
)
def test_other_values_are_refused(wanted, given, words):
    with pytest.raises(TacitError, match=words):
        coerce("it", given, inspect.Parameter("it", inspect.Parameter.KEYWORD_ONLY, annotation=wanted))


def test_fields_of_the_recipe_have_their_types():
    assert sent(milestones=[0.5, 1]).recipe == {"milestones": (0.5, 1.0)}
    assert sent(turns="critic").recipe == {"turns": ("critic",)}
    assert type(sent(batch=64.0).recipe["batch"]) is int
    for wrong in ({"lr": "fast"}, {"milestones": ["late"]}, {"hold": 3}, {"hold": {"encoder": "long"}}, {"optimizer": 1}):
        with pytest.raises(TacitError, match=next(iter(wrong))):
            sent(**wrong)


def test_numbers_of_numpys_are_taken_as_pythons_own():
    found = sent(crop=[np.float64(0.5), 1.0], batch=np.int64(64), lr=np.float32(0.5), width=np.int64(8), dim=np.int32(4))
    assert found.views == {"crop": [0.5, 1.0]} and found.recipe == {"batch": 64, "lr": 0.5}
    assert all(type(value) is int for value in (found.recipe["batch"], found.encoder["width"], found.method["dim"]))
    assert type(found.views["crop"][0]) is float


def config(**changes):
    facts = {"kind": "image", "n": 96, "shape": [3, 16, 16], "more": {"size": 16, "mean": [0.1, 1 / 3, 0.5]}}
    made = Config(
        tacit="0.1.0",
        method="simclr",
        options={"temperature": 0.1},
        recipe={"lr": 1e-3, "milestones": [0.5]},
        recipe_name="small",
        views={"crop": [0.2, 1.0]},
        encoder="small_resnet",
        encoder_options={"width": 8},
        data={"source": "Fotos Süd", "kind": "image", "split": "all", "samples": 96, "corrupt": ["a.png: it is empty"]},
        streams={},
        facts=facts,
        labels_used=0,
        seed=3,
        device="cpu",
        precision="fp32",
        devices=1,
        chosen=["On cpu: there is no other."],
    )
    return replace(made, **changes)


def test_a_configuration_comes_back_from_its_file(tmp_path):
    config().write(tmp_path)
    assert Config.read(tmp_path) == config() == Config.read(tmp_path / "run.yaml")
    assert "Fotos Süd" in (tmp_path / "run.yaml").read_text()
    facts = Config.read(tmp_path).known_facts()
    assert facts == Facts("image", 96, (3, 16, 16), {"size": 16, "mean": [0.1, 1 / 3, 0.5]})


def test_tuples_are_written_as_lists(tmp_path):
    config(recipe={"milestones": (0.5, 0.75)}).write(tmp_path)
    assert Config.read(tmp_path).recipe == {"milestones": [0.5, 0.75]}


def test_what_cannot_be_written_is_named(tmp_path):
    with pytest.raises(TacitError, match=r"An option is .*range.* could not be written into run.yaml"):
        config(options={"clusters": range(3)}).write(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["- a list", "method: simclr", "{", "", "!!python/object/apply:os.getcwd []"])
def test_what_is_no_configuration(tmp_path, text):
    (tmp_path / "run.yaml").write_text(text)
    with pytest.raises(TacitError, match=r"is no run's configuration .*give one that"):
        Config.read(tmp_path)


def test_no_run_at_all(tmp_path):
    with pytest.raises(TacitError, match="holds no run"):
        Config.read(tmp_path)
    with pytest.raises(TacitError, match="holds no run"):
        Config.read(tmp_path / "nowhere")


class Wrapper(Method):
    """Another method, trained with half its loss."""

    paper = Paper("A wrapper", "Tacit", 2026, "tests")

    def __init__(self, encoder: Encoder, *, inner: Method = SimCLR):
        super().__init__(encoder)
        self.inner = inner

    def step(self, batch: Batch):
        return self.inner.step(batch) / 2


@pytest.mark.parametrize("given, found", [({}, SimCLR), ({"inner": "npid"}, NPID), ({"inner": NPID}, NPID)])
def test_a_method_inside_a_method_is_built_on_the_same_encoder(given, found):
    encoder = nn.Linear(3, 8)
    encoder.dim = 8
    method = build_method(Stage(Wrapper, **given), encoder)
    assert type(method.inner) is found and method.inner.encoder is encoder


def test_options_of_the_method_inside_are_given_by_their_own_names():
    encoder = nn.Linear(3, 8)
    encoder.dim = 8
    method = build_method(Stage(Wrapper, inner="simclr", temperature=0.7), encoder)
    assert method.inner.temperature == 0.7
    assert {"inner", "temperature", "dim"} <= set(all_options(Wrapper, {"inner": "simclr"}))
    assert "negatives" in all_options(Wrapper, {"inner": "npid"}) and "negatives" not in all_options(Wrapper, {})


def test_options_reach_the_constructor():
    encoder = nn.Linear(3, 8)
    encoder.dim = 8
    method = build_method(Stage(SimCLR, temperature=0.7, dim=5), encoder)
    assert method.temperature == 0.7 and method.projector(torch.zeros(2, 8)).shape == (2, 5)


@pytest.mark.parametrize(("line", "words"), [("facts: {}", "lacks kind, n, shape"), ("data: x", "its fields are not a run's")])
def test_damage_is_named(trained, tmp_path, line, words):
    name = line.partition(":")[0]
    saved = yaml.safe_load((trained.path / "run.yaml").read_text())
    saved[name] = yaml.safe_load(line)[name]
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(saved))
    with pytest.raises(TacitError, match=words):
        Config.read(tmp_path).known_facts()


def test_several_numbers_are_as_annotated():
    pair = inspect.Parameter("it", inspect.Parameter.KEYWORD_ONLY, annotation=tuple[float, float], default=(0.04, 0.07))
    found = coerce("it", [1, 0.5], pair)
    assert found == (1.0, 0.5) and [type(one) for one in found] == [float, float]
    many = pair.replace(annotation=tuple[int, ...], default=())
    assert coerce("it", [1, 2, 3], many) == (1, 2, 3) and coerce("it", [], many) == ()


@pytest.mark.parametrize(
    "given, sentence",
    [
        (0.05, r"it is 0\.05; it must be a list of 2 such as \[0\.04, 0\.07\]\.$"),
        ("0.04,0.07", r"it is '0\.04,0\.07'; it must be a list of 2 such as \[0\.04, 0\.07\]\.$"),
        ([1, 2, 3], r"it is \[1, 2, 3\]; it must be a list of 2 such"),
        ([1, "b"], r"it\[1\] is 'b'; it must be a number\.$"),
        ((True, 1), r"it\[0\] is True; it must be a number\.$"),
    ],
)
def test_other_than_several_numbers_are_refused(given, sentence):
    pair = inspect.Parameter("it", inspect.Parameter.KEYWORD_ONLY, annotation=tuple[float, float], default=(0.04, 0.07))
    with pytest.raises(TacitError, match=f"^{sentence}"):
        coerce("it", given, pair)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"final_lr": 0.5, "schedule": "step"}, "--final-lr is of the schedule cosine, and this is step; leave it out."),
        ({"milestones": (0.3,)}, "--milestones is of the schedule step, and this is cosine; leave it out."),
        ({"beta2": 0.5, "optimizer": "sgd"}, "--beta2 is of the optimizer adamw, and this is sgd; leave it out."),
        ({"small_crops": 4}, "--small-crops is of methods that see small crops, which SimCLR does not; leave it out."),
    ],
)
def test_what_would_do_nothing_is_refused(given, said):
    with pytest.raises(TacitError) as error:
        refuse_idle(given, SimCLR.recipes["small"].but(**given), SimCLR)
    assert str(error.value) == said
    refuse_idle({"final_lr": 0.5, "beta2": 0.9, "small_crops": 2}, Recipe(), find("dino"))
    refuse_idle({"final_lr": 0.5}, find("scan").recipe.but(schedule="constant"), find("scan"))  # another stage may have it


def postponed(names: str) -> type[Method]:
    """A method in a file that postpones its annotations."""
    lines = [
        "from __future__ import annotations",
        "class Late(Method):",
        "    paper, views, recipe, step = SimCLR.paper, SimCLR.views, SimCLR.recipe, SimCLR.step",
        f"    def __init__(self, encoder: Encoder, *, rounds: int = 3, inner: {names} = SimCLR):",
        "        super().__init__(encoder)",
    ]
    known = {"SimCLR": SimCLR, "Encoder": Encoder, "Method": Method, "__name__": __name__}
    exec("\n".join(lines), known)
    return known["Late"]


def test_a_stage_takes_the_recipe_that_was_chosen_and_else_its_own():
    """Of the data's 96 samples a batch is half at the most, unless the user gave another."""
    small, papers = BYOL.recipes["small"], BYOL.recipe
    for method, name, wanted in [("simclr", "small", small), ("simclr", "paper", papers), ("scgc", "paper", small)]:
        found = stage_recipe(config(method=method, recipe_name=name, recipe={}), Stage(BYOL), False)
        assert found == wanted.but(batch=32), method  # scgc has no recipe for small data, so nobody chose
    assert stage_recipe(config(recipe={"batch": 64}), Stage(BYOL), False).batch == 64
    assert stage_recipe(config(recipe={}), Stage(BYOL, recipe=Recipe(batch=90)), True).batch == 90
    assert stage_recipe(config(recipe={}), Stage(BYOL, recipe=Recipe(batch=100)), True).batch == 96


def test_annotations_that_a_file_postpones_are_types_too():
    late = postponed("Method")
    assert coerce("rounds", 4.0, all_options(late, {})["rounds"]) == 4
    with pytest.raises(TacitError, match=r"rounds is 3\.5; it must be a whole number"):
        coerce("rounds", 3.5, all_options(late, {})["rounds"])
    assert {"temperature", "rounds"} <= set(all_options(late, {}))  # of the inner one, by default, too
    with pytest.raises(TacitError, match=r"Late.__init__ is annotated with 'Unknown', which its file does not know"):
        all_options(postponed("Unknown"), {})


def test_what_a_run_takes_besides_options_is_what_pretrain_takes():
    taken = [name for name, p in inspect.signature(tacit.pretrain).parameters.items() if p.kind is not p.VAR_KEYWORD]
    assert sorted(OF_THE_RUN) == sorted({*taken} - {"data"})
