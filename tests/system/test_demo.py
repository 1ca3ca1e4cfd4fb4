"""make demo, as someone sees it who has just cloned this."""
import re
import subprocess
import sys

import harness


def test_the_demo_brings_charges_through_on_both_platforms():
    ran = subprocess.run([sys.executable, "-B", harness.ROOT / "tests/system/demo.py", "--seconds", "30"], cwd=harness.ROOT, timeout=300,
                         capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    whole = re.search(r"whole charges, .*?(\d+) +(\d+)\n", ran.stdout)
    assert all(int(count) >= 1 for count in whole.groups()), ran.stdout
    frames, sessions = re.search(r"heard on CAN \(GB/T 27930\): (\d+) frames, (\d+) sessions", ran.stdout).groups()
    assert int(frames) >= 100 and int(sessions) >= 1, ran.stdout
    assert "admin page   https://localhost:" in ran.stdout and re.search(r"log-in +admin / \S+", ran.stdout)
