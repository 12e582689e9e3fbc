"""The engine's TTL: it goes by the machine's clock, years ahead of the tests' own."""

from chalicelib.stores import connection


def stop_reaping() -> None:
    """Keep what is past its TTL until the next test, as tables without one do."""
    client = connection.client()
    for name in client.list_tables()["TableNames"]:
        ttl = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        if ttl["TimeToLiveStatus"] == "ENABLED":
            off = {"AttributeName": ttl["AttributeName"], "Enabled": False}
            client.update_time_to_live(TableName=name, TimeToLiveSpecification=off)
