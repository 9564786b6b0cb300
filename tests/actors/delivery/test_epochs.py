"""The epoch that clients get is bound to a channel, or to a set of channels."""

from actors.delivery.epochs import epoch_of, epoch_over, is_of_another_channel

LOG = "0123456789abcdef"


def test_each_channel_has_an_epoch_of_its_own() -> None:
    one, other = epoch_of(LOG, "thread:a"), epoch_of(LOG, "thread:b")
    assert one != other
    assert one == epoch_of(LOG, "thread:a")
    assert one != epoch_of("another log", "thread:a")
    assert epoch_over(LOG, ["thread:a"]) != one, "a position is no offset"


def test_the_order_of_many_channels_does_not_matter() -> None:
    assert epoch_over(LOG, ["a", "b", "c"]) == epoch_over(LOG, ["c", "a", "b"])
    assert epoch_over(LOG, ["a", "b"]) != epoch_over(LOG, ["a", "b", "c"])
    assert epoch_over(LOG, ["a", "b"]) != epoch_over("another log", ["a", "b"])


def test_an_epoch_of_this_log_is_known_to_be_of_another_channel() -> None:
    assert is_of_another_channel(epoch_of(LOG, "thread:a"), LOG)
    assert is_of_another_channel(epoch_over(LOG, ["a", "b"]), LOG)
    assert not is_of_another_channel(epoch_of("another log", "thread:a"), LOG)
