"""Print the growth of a fresh process's resident set as it records a random graph: engine and nodes are the arguments."""

import sys

from benchmarks.growth import resident_growth

if __name__ == "__main__":
    growth = resident_growth(sys.argv[1], int(sys.argv[2]))
    print("" if growth is None else growth)
