"""Exercise 11, solved: a convolutional network, trained, tested, and looked at."""

import torch
import torch.nn as nn

import handlens as hl


class MNISTCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, kernel_size=3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.fc1 = nn.Linear(32 * 7 * 7, 64)
        self.fc2 = nn.Linear(64, 10)

    def forward(self, x):
        x = self.pool(torch.relu(self.conv1(x)))
        x = self.pool(torch.relu(self.conv2(x)))
        x = x.flatten(1)
        x = torch.relu(self.fc1(x))
        return self.fc2(x)


def train_cnn(model, batches, optimizer):
    loss_fn = nn.CrossEntropyLoss()
    model.train()
    total_loss, correct, total, count = 0.0, 0, 0, 0
    for images, labels in batches:
        scores = model(images)
        loss = loss_fn(scores, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total_loss += loss.item()
        correct += (scores.argmax(1) == labels).sum().item()
        total += len(labels)
        count += 1
    return total_loss / count, correct / total


def test_cnn(model, batches):
    model.eval()
    hits, seen = 0, 0
    with torch.no_grad():
        for images, labels in batches:
            hits += (model(images).argmax(1) == labels).sum().item()
            seen += len(labels)
    return hits / seen


def conv_filters(model):
    return model.conv1.weight.detach()


if __name__ == "__main__":
    mnist = hl.load("mnist")
    model = MNISTCNN()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    batches = hl.batches(mnist.train, batch_size=64)
    for epoch in range(3):
        loss, accuracy = train_cnn(model, batches, optimizer)
        print(f"epoch {epoch + 1}: loss {loss:.4f}, training accuracy {accuracy:.2%}")
    print(f"on images kept apart (val): {test_cnn(model, hl.batches(mnist.val, batch_size=500)):.2%}")
    print("kept:", hl.course.keep(model))
