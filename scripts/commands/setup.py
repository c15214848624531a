"""Set up the repository at GitHub and its bucket.

Shows what exists, what is missing and what it would do, and does it after a yes, by `gh` and
`gcloud`, `aws` or `az` with your own login. It can be run again at any time: it does only what is
missing. Ends with a pull request that sets the bucket as the remote.
"""

import argparse

from scripts.git.git import Git
from scripts.setup import setup
from scripts.setup.ask import Options
from scripts.setup.step import EXTRAS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("--repository", metavar="OWNER/NAME", help="by default, that of the clone")
    parser.add_argument("--project", metavar="ID", help="the project at Google Cloud")
    parser.add_argument("--bucket", metavar="BUCKET", help="gs://NAME, s3://NAME or azure://NAME")
    parser.add_argument("--account", metavar="NAME", help="the storage account at Azure")
    parser.add_argument("--location", metavar="LOCATION", help="of a new bucket, such as EU")
    parser.add_argument("--with", dest="extras", metavar="EXTRAS", help=",".join(EXTRAS))
    parser.add_argument("--scheduler", metavar="ADDRESS", help="tls://HOST:PORT of a Dask cluster")
    parser.add_argument("--alone", action="store_true", help="nobody else approves pull requests")
    parser.add_argument("--yes", action="store_true", help="do it without any question")
    parser.add_argument("--dry-run", action="store_true", help="only print the commands")


def run(options: argparse.Namespace, _: Git) -> None:
    """Run the verb."""
    given = Options(
        repository=options.repository,
        project=options.project,
        bucket=options.bucket,
        account=options.account,
        location=options.location,
        extras=options.extras,
        scheduler=options.scheduler,
        is_alone=options.alone,
        asks=not options.yes,
    )
    setup.run(given, is_dry=options.dry_run)
