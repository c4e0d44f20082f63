"""Data sets on disk: folders of safetensors shards with a `dataset.json`, and single files.

Writing is atomic and resumes after an interruption; reading is memory-mapped, verifies checksums, and
never runs code from a file. A data set's folder appears under its name only when it is whole.
"""

from synthetic.storage.export import export_parquet
from synthetic.storage.files import DamagedFileError
from synthetic.storage.manifest import Manifest
from synthetic.storage.pictures import export_images
from synthetic.storage.read import StoredDataset, iter_shards, open_dataset, read_data, read_dataset
from synthetic.storage.scratch import BusyError
from synthetic.storage.tables import read_table, save_sample
from synthetic.storage.write import write_dataset

__all__ = [
    "BusyError",
    "DamagedFileError",
    "Manifest",
    "StoredDataset",
    "export_images",
    "export_parquet",
    "iter_shards",
    "open_dataset",
    "read_data",
    "read_dataset",
    "read_table",
    "save_sample",
    "write_dataset",
]
