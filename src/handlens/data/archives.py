"""The data sets of the catalogue whose published files are read once and kept as arrays.

Checksums come from the authors or, where they give none, from the loaders that all use (torchvision, TensorFlow Datasets). An `Original`
without `sha256` has none published; its MD5 and, where known, its length are pinned.
"""

from __future__ import annotations

import string
from dataclasses import replace

from handlens.data.entry import Archive, Original

_DIGITS = tuple(string.digits)

_KMNIST_TEST = (
    Original("t10k-images-idx3-ubyte.gz", 3041136, "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5"),
    Original("t10k-labels-idx1-ubyte.gz", 5120, "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c"),
)
_KMNIST = Archive(
    title="KMNIST",
    description="ten cursive hiragana from Japanese books, 28x28 grey; as small as MNIST and harder",
    classes=("お o", "き ki", "す su", "つ tsu", "な na", "は ha", "ま ma", "や ya", "れ re", "を wo"),
    mirrors=("http://codh.rois.ac.jp/kmnist/dataset/kmnist/",),
    licence="CC BY-SA 4.0, ROIS-DS Center for Open Data in the Humanities",
    homepage="http://codh.rois.ac.jp/kmnist/",
    originals=(
        Original("train-images-idx3-ubyte.gz", 18165135, "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4"),
        Original("train-labels-idx1-ubyte.gz", 29497, "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17"),
        *_KMNIST_TEST,
    ),
    reader="idx",
    image_shape=(1, 28, 28),
    counts=(60000, 10000),
    torchvision="KMNIST",
    ink=True,
)

_EMNIST_47 = tuple("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt")
_EMNIST_PARTS: dict[str, tuple[str, tuple[str, ...], tuple[int, int]]] = {
    "balanced": ("digits and letters, as many of each; letters that look alike are one class", _EMNIST_47, (112800, 18800)),
    "byclass": ("digits, capital and small letters", (*string.digits, *string.ascii_uppercase, *string.ascii_lowercase), (697932, 116323)),
    "bymerge": ("digits and letters; letters that look alike are one class", _EMNIST_47, (697932, 116323)),
    "digits": ("digits, as many of each", _DIGITS, (240000, 40000)),
    "letters": ("letters, capital and small ones in one class", tuple(string.ascii_uppercase), (124800, 20800)),
    "mnist": ("digits, as many of each as in MNIST", _DIGITS, (60000, 10000)),
}


def _emnist(part: str) -> Archive:
    what, classes, counts = _EMNIST_PARTS[part]
    return Archive(
        title=f"EMNIST {part}",
        description=f"handwritten {what}; 28x28 grey",
        classes=classes,
        mirrors=("https://biometrics.nist.gov/cs_links/EMNIST/",),
        licence="public domain, NIST",
        homepage="https://www.nist.gov/itl/products-and-services/emnist-dataset",
        originals=(Original("gzip.zip", 561753746, "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e"),),
        reader="emnist",
        image_shape=(1, 28, 28),
        counts=counts,
        part=part,
        torchvision="EMNIST",
        ink=True,
        remark="EMNIST's images are stored transposed; they are turned upright here.",
    )


_QMNIST = Archive(
    title="QMNIST",
    description="MNIST made anew from NIST's scans, with all 60,000 test digits and the writer of each; 28x28 grey",
    classes=_DIGITS,
    mirrors=("https://raw.githubusercontent.com/facebookresearch/qmnist/master/",),
    licence="BSD 3-Clause, Facebook",
    homepage="https://github.com/facebookresearch/qmnist",
    originals=(
        Original("qmnist-train-images-idx3-ubyte.gz", md5="ed72d4157d28c017586c42bc6afe6370"),
        Original("qmnist-train-labels-idx2-int.gz", 463024, md5="0058f8dd561b90ffdd0f734c6a30e5e4"),
        Original("qmnist-test-images-idx3-ubyte.gz", md5="1394631089c404de565df7b7aeaf9412"),
        Original("qmnist-test-labels-idx2-int.gz", 526800, md5="5b5b05890a5e13444e108efe57b788aa"),
    ),
    reader="qmnist",
    image_shape=(1, 28, 28),
    counts=(60000, 60000),
    torchvision="QMNIST",
    shared="qmnist-labels",
    ink=True,
)

_USPS = Archive(
    title="USPS",
    description="digits from envelopes of the US Postal Service, 16x16 grey; few, and hard",
    classes=_DIGITS,
    mirrors=("https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass/",),
    licence="for research; J. J. Hull, 1994",
    homepage="https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass.html",
    originals=(
        Original("usps.bz2", md5="ec16c51db3855ca6c91edd34d0e9b197"),
        Original("usps.t.bz2", 1831726, md5="8ea070ee2aca1ac39742fdd1ef5ed118"),
    ),
    reader="usps",
    image_shape=(1, 16, 16),
    counts=(7291, 2007),
    torchvision="USPS",
    ink=True,
)

_SVHN = Archive(
    title="SVHN",
    description="house numbers from Street View, 32x32 colour; the digit in the middle counts",
    classes=_DIGITS,
    mirrors=("http://ufldl.stanford.edu/housenumbers/",),
    licence="for non-commercial use; Netzer et al., 2011",
    homepage="http://ufldl.stanford.edu/housenumbers/",
    originals=(
        Original("train_32x32.mat", 182040794, "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8"),
        Original("test_32x32.mat", 64275384, "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b"),
    ),
    reader="svhn",
    image_shape=(3, 32, 32),
    counts=(73257, 26032),
    torchvision="SVHN",
)

_CIFAR_10 = Archive(
    title="CIFAR-10",
    description="animals and vehicles, 32x32 colour photographs",
    classes=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    mirrors=("https://www.cs.toronto.edu/~kriz/",),
    licence="none given; Krizhevsky, 2009",
    homepage="https://www.cs.toronto.edu/~kriz/cifar.html",
    originals=(Original("cifar-10-binary.tar.gz", 170052171, "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"),),
    reader="cifar",
    image_shape=(3, 32, 32),
    counts=(50000, 10000),
    part="cifar-10-batches-bin",
)

_CIFAR_100_CLASSES = """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle caterpillar cattle
    chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish forest fox girl hamster house
    kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid
    otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark
    shrew skunk skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor
    train trout tulip turtle wardrobe whale willow_tree wolf woman worm
"""
_CIFAR_100 = Archive(
    title="CIFAR-100",
    description="a hundred kinds of things, 32x32 colour photographs, 500 of each to learn from",
    classes=tuple(_CIFAR_100_CLASSES.split()),
    mirrors=("https://www.cs.toronto.edu/~kriz/",),
    licence="none given; Krizhevsky, 2009",
    homepage="https://www.cs.toronto.edu/~kriz/cifar.html",
    originals=(Original("cifar-100-binary.tar.gz", 168513733, md5="03b5dce01913d631647c71ecec9e9cb8"),),
    reader="cifar",
    image_shape=(3, 32, 32),
    counts=(50000, 10000),
    part="cifar-100-binary",
)

_CORRUPTIONS = """
    brightness canny_edges dotted_line fog glass_blur identity impulse_noise motion_blur
    rotate scale shear shot_noise spatter stripe translate zigzag
""".split()


def _mnist_c(corruption: str) -> Archive:
    return Archive(
        title=f"MNIST-C {corruption.replace('_', ' ')}",
        description=f"MNIST's test images, spoilt ({corruption.replace('_', ' ')}): to measure on, not to learn from; 28x28 grey",
        classes=_DIGITS,
        mirrors=("https://zenodo.org/record/3239543/files/",),
        licence="CC BY 4.0, Mu and Gilmer, 2019",
        homepage="https://github.com/google-research/mnist-c",
        originals=(Original("mnist_c.zip", 246661575, "af9ee8c6a815870c7fdde5af84c7bf8db0bcfa1f41056db83871037fba70e493"),),
        reader="mnist-c",
        image_shape=(1, 28, 28),
        counts=(0, 10000),
        part=corruption,
        ink=True,
    )


ARCHIVES: dict[str, Archive] = {
    "kmnist": _KMNIST,
    "kmnist-test": replace(
        _KMNIST,
        title="KMNIST's test images",
        description="split anew: 8,000 hiragana to learn from, 2,000 to be tested on; small, for transfer learning",
        originals=_KMNIST_TEST,
        reader="idx-split",
        counts=(8000, 2000),
        shared="kmnist-test",
        remark="A fifth of each class is kept for testing, the same ones every time.",
    ),
    **{f"emnist-{part}": _emnist(part) for part in _EMNIST_PARTS},
    "qmnist": _QMNIST,
    "usps": _USPS,
    "svhn": _SVHN,
    "cifar-10": _CIFAR_10,
    "cifar-100": _CIFAR_100,
    **{f"mnist-c-{corruption.replace('_', '-')}": _mnist_c(corruption) for corruption in _CORRUPTIONS},
}
