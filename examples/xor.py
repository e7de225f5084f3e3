"""XOR: the smallest problem that a single neuron cannot solve, and three can.

    python examples/xor.py
"""

import aino

X_train = [[0, 0], [0, 1], [1, 0], [1, 1]]
y_train = [0, 1, 1, 0]
X_test, y_test = X_train, y_train

model = aino.NeuralNetwork([2, 3, 1], activation_type='sigmoid')
model.fit(X_train, y_train, epochs=2000, n=0.5)
model.predict(X_test)
model.save('aino.dit')

for inputs, target, output in zip(X_test, y_test, model.predict_proba(X_test), strict=True):
    print(f"{inputs[0]} xor {inputs[1]} = {target}, the network says {float(output):.3f}")
