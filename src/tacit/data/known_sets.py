"""Public data sets under versioned names, found below the folder that TACIT_DATA names and checked before use."""

import hashlib
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tacit.data.opening import open as open_source
from tacit.data.samples import Samples
from tacit.data.tabular.files import Said, tables_in
from tacit.data.tabular.rows import from_files
from tacit.errors import TacitError, unknown


class KnownSet(NamedTuple):
    """Where a set lies below TACIT_DATA, and the checksum of exactly this version."""

    path: str
    sha256: str
    label: str = ""  # of a table: the column of labels, where it is not named so
    columns: Mapping[str, str] = {}  # and what is not as it would be inferred


SETS = {
    "acm-multiplex": KnownSet(
        "graphs/acm_multiplex/acm_multiplex.npz", "0f577b141054f81dcf956b6d3cb94de3e252b7cc4200277bd302e88d9fe1c521"
    ),
    "adult": KnownSet("tabular/adult", "992184712587357c8aeb6b268f2550519996e700b240c7b8be5de6990738108e", label="income"),
    "ag-news-small": KnownSet("text/ag_news_small", "458976c9ccb61ff492484756e6b577fd60574554763cf6ac6efa8d00d68e88e0"),
    "blogcatalog": KnownSet(
        "graphs/blogcatalog/blogcatalog.npz", "4369f67b0ee3a822cd88950e3f74bf438af3d5f3b0afb0f7225b8f47da11f991"
    ),
    "brown": KnownSet("text/sentences_95k/brown.txt.gz", "a20bd56cd0647f0c6f3f4254bd2502cf9f7960bfafef736b19648454656ebb31"),
    "cifar10-15k": KnownSet(
        "images/cifar10/cifar10_15k_3k.npz", "99c767176fc2b437eec7f37cee5c8a8ef9351a7423fd5ee961e96bc12a09a980"
    ),
    "cora": KnownSet("graphs/cora", "3b744a4613b032cb723406d432a019e16b429e18e2b6471f64a67c874dddd7f3"),
    "cranfield": KnownSet("text/cranfield", "78acb5d3008f3c5b13935062798f86ce85ce6ec748a2435bb0a4f81aa1269bd8"),
    "fsdd": KnownSet("audio/fsdd", "a21ddd9e85d54ea1d4b01efe5b30b0afd2e26e556914a50957d86b309e3b11ed"),
    "emoji-captions": KnownSet("image_text/emoji_captions", "d4dfc0e0b09bde706a79631f83648040866d8a6edc5aaee347ef632b9616127b"),
    "hyper-cocitation-cora": KnownSet(
        "graphs/hyper_cocitation_cora/hyper_cocitation_cora.npz",
        "248c7ffaad764ca544fbb2408d97bb873c44d2d2fe9cfd8e2eba6c3514991381",
    ),
    "mnist-20k": KnownSet("images/mnist/mnist_20k_5k.npz", "76c616d0b53c2f95e9204ffb3395597140b7f01f913d918ab88895121f384dc9"),
    "moving-mnist": KnownSet(
        "video/moving_mnist_generated/moving_mnist_1200_300.npz",
        "1601672f2185ca76e3587cdc4dd27822ce089fda1da19c2cb5d86e55cbebb85a",
    ),
    "movielens-small": KnownSet("recsys/movielens_small", "0afa47752865d347a7bd959d4fdd67e52c32ac42482fcb3b01ea0c8554fb8215"),
    "nsl-kdd": KnownSet(
        "tabular/nsl_kdd",
        "42e8a4d12aaca3107151d702439589f6a7d6a2fe046412cbd7dadf2823b52d7d",
        label="attack",  # "normal" or one of 39; the 38 numbers, without what is another label or names a service
        columns=dict.fromkeys(("category", "difficulty", "protocol_type", "service", "flag"), "ignore"),
    ),
    "omniglot-small1": KnownSet(
        "images/omniglot_small1/omniglot_small1.npz", "90e68a1c8a244131f9037b0ebc066266997cb1f709482da73eaf37ceda6bad78"
    ),
    "pneumonia-balanced": KnownSet(
        "images/pneumoniamnist/pneumoniamnist.npz", "668e0bb210171d8b520072c525f12b0e2b5b0c83be7747b0320879e35544f503"
    ),
    "ppi-node2vec": KnownSet(
        "graphs/ppi_node2vec/ppi_node2vec.npz", "0125d9931fc0ffe9fce2154e899eb3800ce04219183c3f4b17342dae2e0f2ef8"
    ),
    "sign-digits": KnownSet("images/sign_digits_folder", "eb42df48d9de137120fa4905aeb7e7867c493e3c68010466b883534cded97651"),
    "fb15k237": KnownSet("kg/fb15k237", "02235008347a51eec95623856044e45ad5b129a9d9968295ab0d59fb81c27ce5"),
    "stsb": KnownSet("text/stsb", "28db90b552520b92fbe7825898d52ead0c76831c113f94ede72f744c318b7e5d"),
    "trec-qc": KnownSet("text/trec_qc", "ff2f6e7eff744f81c3f61fa4c3ffc17d0e9bf91cc9082bb5e5748fed554cc57d"),
    "tu-mutag": KnownSet("graphs/tu_mutag/tu_mutag.npz", "123eade6b8ec69c6be11c57ceae5419153ed7ef87598c801124b7508ff2548ce"),
    "tu-proteins": KnownSet(
        "graphs/tu_proteins/tu_proteins.npz", "e6c4c8ed2932a8849f1cafb92c11f5c50f1b6a37939149955c4da7b110897dae"
    ),
    "umls": KnownSet("kg/umls", "78b112c8861a07ff54507e628e0759638c5704aaca05f594df636dadcb156b7d"),
    "nations": KnownSet("kg/nations", "573d1b5865da88bc056bfcded83e6e8cdcb5ca7ad74b7b8d2f59fe7fe1f3b37a"),
    "basicmotions": KnownSet(
        "timeseries/basicmotions/basicmotions.npz", "d9144f246ad7e313807d92fac9c9369bd4d5c88d4641b063f3bc6b590c50bf2d"
    ),
    "etth1": KnownSet("timeseries/etth1/etth1.npz", "886eecd3e052282562d853ad0336425b04adc711a2f6df1a1df9622f25b13faf"),
    "gunpoint": KnownSet(
        "timeseries/gunpoint/gunpoint.npz", "012486a72443a3905612ea61d9f0b17f6eeb3eabf7d6c99a786b3b4f0c8b1083"
    ),
    "italypowerdemand": KnownSet(
        "timeseries/italypowerdemand/italypowerdemand.npz", "ffc7e0d0731b6ae967bc7d5f3e14b57f9fdf42e158d80095b92de1c8ab8d997f"
    ),
    "japanesevowels": KnownSet(
        "timeseries/japanesevowels/japanesevowels.npz", "8d7e8ee190309f44b2ee1d2a3debacffe2dceabe0b32d986d2fea6d2da81d829"
    ),
    "pickupgesturewiimotez": KnownSet(
        "timeseries/pickupgesturewiimotez/pickupgesturewiimotez.npz",
        "dfcece3fd4009e003271c554069f55c0541e8da89e6716c52c5d61eda7a76af2",
    ),
    "ucr-anomaly-135": KnownSet(
        "timeseries/ucr_anomaly_135/ucr_anomaly_135.npz", "ed94ecdacd260670b77639a46155bb828e42b042e447ff6d505e1bc920a53c4d"
    ),
    "wordnet-mammals": KnownSet(
        "hierarchy/wordnet_mammals", "fffee828df607c8b8a86fac185bb9c3ebc9c94e7b76fe0ed0b047611f5c25945"
    ),
    "wikitext2-small": KnownSet(
        "text/sentences_95k/wikitext2_valid_test.txt.gz", "861f2e07abf1f3179362be29683212f0d1839b80cc7f270aa9e91ed3040de50c"
    ),
    "wine-quality": KnownSet(
        "tabular/wine_quality", "93e1c05fc8d23aa2cd83a0e0edf8a5735f7dba401f7682b7a0cedac7815626e0", label="color"
    ),
}


def known(name: str) -> Samples:
    """Open a known set; its checksum is verified once per process and `SETS[name].sha256` belongs into every result."""
    if name not in SETS:
        raise unknown("known set", name, SETS)
    one = SETS[name]
    path = _root(name) / one.path
    if not path.exists():
        raise TacitError(
            f"{name} is not there: {path} does not exist; set TACIT_DATA to the folder that holds {SETS[name].path}."
        )
    if (found := checksum(path)) != SETS[name].sha256:
        raise TacitError(
            f"{path} is not the {name} that results are named after (sha256 {found[:12]}…, "
            f"expected {SETS[name].sha256[:12]}…); fetch it again, or open it by its path."
        )
    if one.label:
        return from_files(tables_in(path), str(path), Said(one.label, columns=one.columns))
    return open_source(path)


@cache
def checksum(path: Path) -> str:
    """sha256 of a file, or of a folder's relative paths (sorted, with forward slashes) and contents; README files apart."""
    digest = hashlib.sha256()
    if path.is_file():
        files = [path]
    else:
        inside = (file for file in path.rglob("*") if file.is_file() and not file.name.startswith((".", "README")))
        files = sorted(inside, key=Path.as_posix)
    for file in files:
        if path != file:
            digest.update(f"{file.relative_to(path).as_posix()}\0{file.stat().st_size}\0".encode())
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _root(name: str) -> Path:
    if not (root := os.environ.get("TACIT_DATA")):
        raise TacitError(
            f"The known set {name} is looked for in TACIT_DATA, which is not set; set it to the folder of your data sets."
        )
    return Path(root).expanduser()
