"""A run that is gone on with, or run again: its configuration holds, and its data must be what they were."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tacit.config import Config
from tacit.data.shards import braced
from tacit.errors import TacitError, unknown
from tacit.material import Material, gather_material, hash_of_ids
from tacit.method import Labelled
from tacit.method import streams as streams_of
from tacit.methods import find, name_of


def refuse_others(config: Config, given: Mapping[str, Any]) -> None:
    """Refuse what was given and is not as the run has it: method, seed, device, precision, kind."""
    for name, value in given.items():
        own = config.data["kind"] if name == "kind" else getattr(config, name)
        if value == "auto":
            continue  # whatever the run has
        asked = name_of(find(value) if isinstance(value, str) else value) if name == "method" else value
        if asked != own:
            raise TacitError(f"--{name} is {asked} and the run was configured with {own}; leave it out, or start a new run.")


def again_materials(config: Config, data: Any, streams: Mapping[str, Any]) -> dict[str, Material]:
    """The data of a configuration, opened again; it must be what it was."""
    facts = config.known_facts()
    sources = {"main": data if data is not None else config.data["source"], **config.streams, **streams}
    size = facts.more.get("size")
    (_, first), *others = streams_of(find(config.method)).items()
    looks = {"main": first, **dict(others)}
    for name, source in sources.items():
        if name not in looks:
            raise unknown("stream", name, looks)
        if isinstance(source, str) and braced(source) is None and not Path(source).expanduser().exists():
            raise TacitError(
                f"The run learns from {source}, which is not there; restore it, or with --resume say where it is now."
            )
    found = {
        name: gather_material(source, config.data["kind"], size, config.device, labelled=isinstance(looks[name], Labelled))
        for name, source in sources.items()
    }
    now = len(found["main"].samples)
    if now != facts.n:
        raise TacitError(
            f"{sources['main']} holds {now:,} samples now and held {facts.n:,} when the run began; "
            "restore it, or start a new run."
        )
    for name, material in found.items():
        if hash_of_ids(material.samples) != config.data["ids"][name]:
            raise TacitError(f"{sources[name]} holds other samples than when the run began; restore them, or start a new run.")
        material.facts = dict(facts.more)
        if hasattr(material.samples, "fitted"):
            material.samples = material.samples.fitted(material.facts)  # in the vocabulary that the run began with
    return found
