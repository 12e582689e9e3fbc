"""Whether tables and queues are there and answer."""

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.stores import connection, queues


def table_problem(name: str) -> str | None:
    """What is wrong with the table of that name, None if nothing is."""
    try:
        found = connection.client().describe_table(TableName=name)["Table"]
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    except BotoCoreError as error:
        return type(error).__name__
    states = {"the table": found["TableStatus"]} | {
        index["IndexName"]: index.get("IndexStatus", "ACTIVE")
        for index in found.get("GlobalSecondaryIndexes", [])
    }
    unready = [f"{part} is {at}" for part, at in states.items() if at not in ("ACTIVE", "UPDATING")]
    return ", ".join(unready) or None


def queue_problem(url: str) -> str | None:
    """What is wrong with the queue at that URL, None if nothing is."""
    try:
        queues.client().get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    except BotoCoreError as error:
        return type(error).__name__
    return None
