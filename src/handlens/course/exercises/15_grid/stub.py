"""Exercise 15 (homework 2): try all combinations, and choose fairly.

search(score, rates, widths, seeds) tries each rate with each width, with each seed, and averages over the seeds.

score    score(lr, width, seed) trains once and gives the accuracy on the validation images
         (score(lr, width, seed, "test") gives that on the test images: when should it be asked?)
returns  best, table: the best pair (rate, width), and a dictionary: table[rate, width] is the mean accuracy

When you are done: handlens course check grid
"""


def search(score, rates, widths, seeds):
    table = {}
    # TODO: all combinations; the mean over the seeds
    # TODO: the best pair
