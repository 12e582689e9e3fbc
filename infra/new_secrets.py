"""`make secrets STAGE=…`: a stage's secrets, made once and kept in Secrets Manager."""

import secrets

import click
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.domain.keys import hash_key
from infra import cloud
from infra.build import config_of
from infra.documents import BuildError

PEPPER_BYTES = 32


def make(stage: str) -> tuple[str, str, str]:
    """Make the stage's secret; its ARN, the system key and the admin key. Raises BuildError.

    The keys are kept nowhere: the secret holds their hashes.
    """
    config_of(stage)
    system, admin = (f"sesame_{kind}_{secrets.token_urlsafe(32)}" for kind in ("system", "admin"))
    content = {
        "pepper": secrets.token_hex(PEPPER_BYTES),
        "system_key_hash": hash_key(system),
        "admin_key_hash": hash_key(admin),
        "providers": {},
        "suppliers": {},
    }
    return cloud.make_secret(stage, content), system, admin


@click.command()
@click.option("--stage", required=True)
def main(stage: str) -> None:
    """Make the secrets of STAGE, and show its keys this once."""
    try:
        arn, system, admin = make(stage)
    except (BuildError, BotoCoreError, ClientError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"secret      {arn}\nsystem key  {system}\nadmin key   {admin}")
    click.echo("The keys are shown this once. Add providers' accounts to the secret's JSON.")


if __name__ == "__main__":
    main()
