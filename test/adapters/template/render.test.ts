import { describe, expect, it } from "vitest";
import { renderChat } from "../../../src/adapters/template/render.ts";
import { isExitError } from "../../../src/core/errors.ts";

const chatml =
  "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";
const messages = [
  { role: "system", content: "Be brief." },
  { role: "user", content: "Hello {{ name }}\n  <b>\n" },
] as const;

describe("a chat template", () => {
  it("is applied byte for byte and ends where the reply begins", () => {
    expect(renderChat(chatml, messages)).toBe(
      "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHello {{ name }}\n  <b>\n<|im_end|>\n<|im_start|>assistant\n",
    );
  });

  it("gets the special tokens it writes", () => {
    const rendered = renderChat("{{ bos_token }}{{ messages[0].content }}{{ eos_token }}", messages, {
      bosToken: "<s>",
      eosToken: "</s>",
    });
    expect(rendered).toBe("<s>Be brief.</s>");
  });

  it("that knows no system role gets the system text with the first question", () => {
    const strict =
      "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system role') }}{% endif %}[{{ m.role }}] {{ m.content }}{% endfor %}";
    expect(renderChat(strict, messages)).toBe("[user] Be brief.\n\nHello {{ name }}\n  <b>\n");
  });

  it("that is broken, or refuses the conversation, is an error that says so", () => {
    for (const template of ["{% for %}", "{{ raise_exception('nothing suits me') }}"]) {
      try {
        renderChat(template, messages);
        expect.unreachable();
      } catch (error) {
        expect(isExitError(error, "template-failed")).toBe(true);
      }
    }
  });
});
