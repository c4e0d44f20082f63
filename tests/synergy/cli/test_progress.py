"""What long commands say where there is no terminal."""

from synergy.cli.progress import shown


def test_a_line_a_minute_with_the_time_that_is_left(capsys):
    now = [0.0]
    with shown("verify", clock=lambda: now[0]) as progress:
        progress(10, 20, "10 resumed")
        for seconds, done in ((59, 11), (61, 12), (62, 13), (125, 15)):
            now[0] = seconds
            progress(done, 20, f"job {done}")
    assert capsys.readouterr().err.splitlines() == [
        "synergy: verify: 12 of 20, 1 min gone, about 4 min left, job 12",
        "synergy: verify: 15 of 20, 2 min gone, about 2 min left, job 15",
    ]


def test_short_work_says_nothing(capsys):
    with shown("verify") as progress:
        for done in range(3):
            progress(done, 2, "")
    assert capsys.readouterr().err == ""
