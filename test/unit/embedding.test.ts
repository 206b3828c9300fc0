import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { embeddingLength, embedSolution, embedText } from "../../src/core/embedding.ts";
import { solutionOf } from "./reply/fixtures.ts";

const tree = [
  "import pandas as pd",
  "from sklearn.tree import DecisionTreeRegressor",
  "train = pd.read_csv('train.csv')",
  "model = DecisionTreeRegressor(max_depth=2)",
  "model.fit(train[['distance']], train['minutes'])",
  "print(model.score(train[['distance']], train['minutes']))",
].join("\n");
const net = [
  "import torch",
  "class Net(torch.nn.Module):",
  "    def __init__(self):",
  "        super().__init__()",
  "        self.layers = torch.nn.Sequential(torch.nn.Linear(8, 32), torch.nn.ReLU())",
  "    def forward(self, x):",
  "        return self.layers(x)",
].join("\n");

const distance = (a: readonly number[], b: readonly number[]): number =>
  Math.sqrt(a.reduce((sum, value, index) => sum + (value - (b[index] ?? 0)) ** 2, 0));

describe("the lexical embedding", () => {
  test("of any text has a fixed length and norm 1, or is zero for no text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const vector = embedText(text);
        expect(vector).toHaveLength(embeddingLength);
        const norm = distance(vector, new Array<number>(embeddingLength).fill(0));
        if (norm !== 0) expect(norm).toBeCloseTo(1, 9);
        expect(embedText(text)).toEqual(vector);
      }),
    );
    expect(embedText(" \n")).toEqual(new Array<number>(embeddingLength).fill(0));
  });

  test("puts a small edit nearer than another program", () => {
    const edited = embedText(tree.replace("max_depth=2", "max_depth=6"));
    const forest = embedText(tree.replaceAll("DecisionTreeRegressor", "RandomForestRegressor"));
    const near = distance(embedText(tree), edited);
    expect(near).toBeGreaterThan(0);
    expect(near).toBeLessThan(distance(embedText(tree), forest));
    expect(distance(embedText(tree), forest)).toBeLessThan(distance(embedText(tree), embedText(net)));
  });

  test("tells configurations apart by each value, and by more values more", () => {
    const config = { model: "tree", scale: "none", pca: 5, k: 20 };
    const vector = (change: object): number[] =>
      embedSolution(
        solutionOf({ "solution/config.json": JSON.stringify({ ...config, ...change }, null, 2) }),
      );
    const one = distance(vector({}), vector({ pca: 10 }));
    expect(one).toBeGreaterThan(0.05);
    expect(distance(vector({}), vector({ pca: 10, model: "svm", k: 1 }))).toBeGreaterThan(one);
  });

  test("depends on the solution's content only, not on line ends or the order of parts alike", () => {
    const a = embedSolution(solutionOf({ "a.py": "x = 1\ny = 2\n" }));
    expect(embedSolution(solutionOf({ "a.py": "x = 1\r\ny = 2\r\n" }))).toEqual(a);
    expect(embedSolution(solutionOf({ "b.py": "x = 1\ny = 2\n" }))).not.toEqual(a);
    expect(
      embedSolution([{ path: "w.npy", bytes: new Uint8Array([255, 0]), executable: false }]),
    ).toHaveLength(embeddingLength);
  });

  test("is the same on every machine: a known text has known places", () => {
    const places = embedText("x = 1").flatMap((value, place) =>
      value === 0 ? [] : [[place, Math.sign(value)]],
    );
    expect(places).toMatchInlineSnapshot(`
      [
        [
          51,
          1,
        ],
        [
          71,
          -1,
        ],
        [
          79,
          1,
        ],
        [
          89,
          1,
        ],
        [
          176,
          -1,
        ],
        [
          236,
          1,
        ],
      ]
    `);
  });
});
