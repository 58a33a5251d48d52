import { join } from "node:path";
import { beforeAll } from "vitest";
import { loadTeacher } from "../../policies/checkpoint/load-teacher.ts";
import { bounded } from "../../policies/networks/bounded.ts";
import { withHistory } from "../../policies/networks/history.ts";
import { createMlp } from "../../policies/networks/mlp.ts";
import type { Network } from "../../policies/networks/network.ts";
import { NetworkPolicy } from "../../policies/networks/network-policy.ts";
import { Normaliser } from "../../policies/networks/normaliser.ts";
import { createRecurrent } from "../../policies/networks/recurrent.ts";
import { loadOnnx } from "../../policies/onnx/onnx-policy.ts";
import { createHover } from "../../policies/pilots/hover.ts";
import { createSimulatorTeacher } from "../../policies/pilots/simulator-teacher.ts";
import { Random } from "../../policies/random.ts";
import { startEngine } from "../../src/engine/start.ts";
import { dataFolder, teachersFolder } from "./examples.ts";
import { policyLaws } from "./policy-laws.ts";

beforeAll(() => startEngine("auto"));

const random = () => new Random(1).uniform;
const sizes = { outputWidth: 2, hidden: [5], activation: "elu" };
const mlp = (inputWidth = 5) => createMlp({ ...sizes, inputWidth, random: random() });
const recurrent = (type: "gru" | "lstm") =>
  createRecurrent({
    ...sizes,
    inputWidth: 5,
    random: random(),
    rnn: { type, width: 4, layers: 2 },
  });

const groups = { policy: 3, wind: 2, unread: 4 };
const reads = ["policy", "wind"];
function network(make: () => Network, normalised = false) {
  return () =>
    new NetworkPolicy({
      network: make(),
      ...(normalised && { normaliser: new Normaliser(5) }),
      reads,
    });
}

policyLaws("an MLP", { make: network(() => mlp()), groups });
policyLaws("a normalised MLP", { make: network(() => mlp(), true), groups });
policyLaws("a GRU", { make: network(() => recurrent("gru")), groups });
policyLaws("a normalised LSTM", { make: network(() => recurrent("lstm"), true), groups });
policyLaws("an MLP with a history", { make: network(() => withHistory(mlp(15), 3)), groups });
const range = { center: [0, 1], half: [1, 2] };
policyLaws("a bounded MLP", { make: network(() => bounded(mlp(), range)), groups });
policyLaws("the hover controller", {
  make: () => createHover("policy"),
  groups: { policy: 12, unread: 3 },
});
policyLaws("the simulator's own teacher", {
  make: () => createSimulatorTeacher(2),
  groups: { unread: 3 },
  teacherActions: 2,
});
policyLaws("rsl_rl's LSTM", {
  make: async () => (await loadTeacher(join(teachersFolder, "hover-rsl_rl-3.3.0-lstm.pt"))).policy,
  groups: { policy: 12, unread: 3 },
});
policyLaws("an ONNX model", {
  make: async () => (await loadOnnx(join(dataFolder, "../onnx/gru.onnx"), ["policy"])).policy,
  groups: { policy: 5, unread: 3 },
});
