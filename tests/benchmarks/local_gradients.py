"""The peer of row B2: a Value that stores its derivatives by its operands as they are computed; a sweep multiplies and adds."""

import math


class Value:
    __slots__ = ("data", "grad", "locals", "operands")

    def __init__(self, data, operands=(), local_gradients=()):
        self.data, self.grad, self.operands, self.locals = data, 0.0, operands, local_gradients

    def __add__(self, other):
        if isinstance(other, Value):
            return Value(self.data + other.data, (self, other), (1.0, 1.0))
        return Value(self.data + other, (self,), (1.0,))

    def __mul__(self, other):
        if isinstance(other, Value):
            return Value(self.data * other.data, (self, other), (other.data, self.data))
        return Value(self.data * other, (self,), (other,))

    def __truediv__(self, other):
        if isinstance(other, Value):
            result = self.data / other.data
            return Value(result, (self, other), (1.0 / other.data, -result / other.data))
        return Value(self.data / other, (self,), (1.0 / other,))

    def __pow__(self, exponent):
        return Value(self.data**exponent, (self,), (exponent * self.data ** (exponent - 1),))

    exp = lambda self: Value(result := math.exp(self.data), (self,), (result,))
    log = lambda self: Value(math.log(self.data), (self,), (1.0 / self.data,))
    relu = lambda self: Value(max(0.0, self.data), (self,), (float(self.data > 0.0),))
    __neg__ = lambda self: self * -1.0
    __sub__ = lambda self, other: self + -other
    __rsub__ = lambda self, other: -self + other
    __rtruediv__ = lambda self, other: self**-1 * other
    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        order, seen, stack = [], set(), [self]
        while stack:
            node = stack.pop()
            if node is None:  # the operands of the one below it are done
                order.append(stack.pop())
            elif node not in seen:
                seen.add(node)
                stack += [node, None, *node.operands]
        self.grad = 1.0
        for node in reversed(order):
            for operand, gradient in zip(node.operands, node.locals):
                operand.grad += gradient * node.grad
