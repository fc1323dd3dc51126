// What the host finds around it.

/** The runtime of compiled programs (compiler/runtime/runtime.js). */
declare function vanishingRuntime(options?: { wasm?: boolean }): object;

/** The host itself, as pages see it; `programs` is there while a page computes in itself. */
declare const vanishingLive: { programs?: Record<string, (runtime: object) => any> };

interface Window {
  /** Shared data by name, base64 (page.js). */
  vanishingData?: Record<string, string>;
}
