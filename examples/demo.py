"""What `make demo` shows: train on Iris, save, load in a new process, predict the same, draw.

    python examples/demo.py [folder]
"""

import subprocess
import sys
from pathlib import Path

import numpy as np
from iris import load, split

import aino

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "demo")
folder.mkdir(parents=True, exist_ok=True)
X, y, names = load()
X_train, y_train, X_test, y_test = split(X, y)

print(f"1. Training a 4-16-3 network on {len(X_train)} irises, {len(X_test)} held out.")
model = aino.NeuralNetwork([4, 16, 3], activation_type="tanh")
model.fit(X_train, y_train, epochs=100, seed=0)
accuracy = model.score(X_test, y_test)
print(f"   Held-out accuracy: {accuracy:.1%}")
assert accuracy >= 0.95, "the network has learned too little"

print(f"2. Saving it: {folder / 'iris.dit'}")
model.save(folder / "iris.dit")

print("3. Loading it in a new process, and predicting the held-out flowers there.")
np.save(folder / "inputs.npy", X_test)
program = """
import sys
import numpy as np
import aino
folder = sys.argv[1]
model = aino.load(folder + "/iris.dit")
np.save(folder + "/outputs.npy", np.asarray(model.predict_proba(np.load(folder + "/inputs.npy"))))
"""
subprocess.run([sys.executable, "-c", program, str(folder)], check=True)
here = np.asarray(model.predict_proba(X_test))
there = np.load(folder / "outputs.npy")
assert np.array_equal(here, there), "the loaded network predicts something else"
print(f"   All {len(here)} predictions are equal, bit for bit.")

print("4. Drawing the network, and the graph of one flower's loss.")
aino.draw(model).render(folder / "network.svg")
flower = aino.tensor(X_test[:1], dtype=aino.float32)
loss = -aino.log(model(flower)[0, y_test[0]])
aino.draw(loss, gradients=True).render(folder / "graph.svg")

print(f"""
Made in {folder}/:
  iris.dit      the trained network (np.load reads its arrays, too)
  inputs.npy    the held-out flowers
  outputs.npy   what the loaded network predicted for them
  network.svg   the network, perceptron by perceptron
  graph.svg     how one flower's loss was computed, with every gradient""")
