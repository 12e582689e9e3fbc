"""`make destroy STAGE=…`: the stack goes; its tables stay unless DATA=delete says otherwise."""

import click
from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from infra import cloud
from infra.documents import BuildError

_POLL = {"Delay": 2, "MaxAttempts": 900}


def destroy(stage: str, *, delete_data: bool) -> list[str]:
    """Delete the stack of a stage; the names of its tables. Raises BuildError."""
    if cloud.stack(stage) is None:
        raise BuildError(f"{cloud.stack_name(stage)} is not deployed in this account and region")
    tables, name = cloud.tables(stage), cloud.stack_name(stage)
    cloudformation = cloud.client("cloudformation")
    cloudformation.delete_stack(StackName=name)
    try:
        cloudformation.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig=_POLL)
    except WaiterError as error:
        raise BuildError(f"{name} could not be deleted: {error}") from None
    if delete_data:
        for table in tables:
            _delete(table)
    return tables


def _delete(table: str) -> None:
    dynamodb = cloud.client("dynamodb")
    if dynamodb.describe_table(TableName=table)["Table"].get("DeletionProtectionEnabled"):
        dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
        dynamodb.get_waiter("table_exists").wait(TableName=table, WaiterConfig=_POLL)
    dynamodb.delete_table(TableName=table)


@click.command()
@click.option("--stage", required=True)
@click.option("--data", type=click.Choice(["keep", "delete"]), default="keep")
@click.option("--confirm", prompt="The stage once more", help="The stage once more.")
def main(stage: str, data: str, confirm: str) -> None:
    """Delete the stack of STAGE, and if so told its tables."""
    if confirm != stage:
        raise click.ClickException("That is another stage; nothing was deleted.")
    try:
        tables = destroy(stage, delete_data=data == "delete")
    except (BuildError, BotoCoreError, ClientError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"Tables {'deleted' if data == 'delete' else 'kept'}: {', '.join(tables)}")


if __name__ == "__main__":
    main()
