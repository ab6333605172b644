"""Exercise 10 (task 5): which digit is taken for which?

labels        the true digits, N whole numbers from 0 to 9
predictions   what the network said, N
returns       a table of counts, 10 by 10: the row is the true digit, the column the predicted one

When you are done: handlens course check confusion
"""

import torch


def count_confusions(labels, predictions):
    # TODO: begin with an empty table, and count each pair
    pass
