// swift-tools-version: 6.2
// One source, two modes. `EMBEDDED=1` builds what ships (Embedded Swift), without it the standard
// mode that the tests, sanitizers and coverage use. `STATIC=1` links everything into the program.
import Foundation
import PackageDescription

let environment = ProcessInfo.processInfo.environment
let embedded = environment["EMBEDDED"] == "1"
let isStatic = environment["STATIC"] == "1"
let fuzzing = environment["FUZZ"] == "1"
let keepsSymbols = environment["SYMBOLS"] == "1"

let embeddedSettings: [SwiftSetting] = [
    .enableExperimentalFeature("Embedded"),
    .unsafeFlags(["-wmo", "-Osize", "-Xfrontend", "-function-sections"]),
    // A program without symbols cannot say where it trapped: one trap a function will do.
    .unsafeFlags(["-Xfrontend", "-mergeable-traps"]),
]
/// Embedded Swift emits a library's functions again in every module that calls them, and the
/// linker keeps any one copy of each name. Swift 6.3.1 numbers the constant arrays that it takes
/// out of a function (`…Tv_r`, `…Tv0_r`) per copy, so that a copy from one module would be linked
/// with the arrays of another, in another order: a wrong token header, an array of UInt16 read as
/// one of String. Only the program emits code, therefore, and there is one copy of everything.
let embeddedLibrarySettings: [SwiftSetting] = [
    .unsafeFlags(["-Xfrontend", "-emit-empty-object-file"]),
]
let swiftSettings: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .enableExperimentalFeature("Lifetimes"),
        .strictMemorySafety(),
    ] + (embedded ? embeddedSettings : [])
    + (fuzzing ? [.unsafeFlags(["-sanitize=address", "-sanitize=fuzzer", "-parse-as-library"])] : [])

var linkerSettings: [LinkerSetting] = []
if embedded {
    guard let tables = environment["SWIFT_UNICODE_TABLES"] else {
        fatalError("EMBEDDED=1 needs SWIFT_UNICODE_TABLES, the path of the toolchain's "
            + "libswiftUnicodeDataTables.a; `make` sets it")
    }
    linkerSettings += [
        .unsafeFlags([
            tables, "-use-ld=lld", "-Xlinker", "--gc-sections",
            "-Xlinker", "--icf=all",
            // What runs lies side by side: `make order` makes the list.
            "-Xlinker", "--symbol-ordering-file",
            "-Xlinker", "\(Context.packageDirectory)/packaging/touched-functions.txt",
            "-Xlinker", "--no-warn-symbol-ordering",
            "-Xlinker", "--no-eh-frame-hdr", "-Xlinker", "-T",
            "-Xlinker", "\(Context.packageDirectory)/packaging/no-unwinding.ld",
        ]),
        .unsafeFlags(keepsSymbols ? [] : ["-Xlinker", "-s"]),
        // Dictionary and Set compute their capacity with ceil().
        .linkedLibrary("m"),
    ]
}
if embedded && isStatic {
    linkerSettings += [.unsafeFlags(["-Xclang-linker", "-static"])]
} else if isStatic {
    linkerSettings += [.unsafeFlags(["-static-executable"])]
}

func cModule(_ name: String) -> Target {
    .systemLibrary(name: name, path: "Sources/\(name)")
}

/// What is not a test. Embedded Swift demands of every file that it imports what it calls; with
/// this, standard Swift does so too, and says it sooner.
let sourceSettings = swiftSettings + [.enableUpcomingFeature("MemberImportVisibility")]

/// The foreign library that a target of ours links, beside the program and its tests.
let foreign: [String: [LinkerSetting]] = [
    "Crypto": [.linkedLibrary("nettle")],
    "Loop": [.linkedLibrary(isStatic ? "uv_a" : "uv"), .linkedLibrary("cares")],
    "Store": [.linkedLibrary("lmdb")],
    "Configuration": [.linkedLibrary("inih")],
]

/// A library of ours: its folder, what it imports, and its tests' folder beside it.
func library(_ name: String, _ dependencies: [String] = [], tests: [String] = []) -> [Target] {
    let names = dependencies.map { Target.Dependency(stringLiteral: $0) }
    var made = [
        Target.target(
            name: name, dependencies: names,
            swiftSettings: sourceSettings + (embedded ? embeddedLibrarySettings : []),
            linkerSettings: foreign[name] ?? []),
    ]
    if !embedded {
        let all = ([name, "TestSupport"] + dependencies + tests)
            .map { Target.Dependency(stringLiteral: $0) }
        made.append(.testTarget(
            name: "\(name)Tests", dependencies: all, swiftSettings: swiftSettings))
    }
    return made
}

let protocols = ["Wire", "Crypto", "NetBIOS", "Mailslot", "SMB", "NTLM", "RPC", "Interfaces"]

var targets: [Target] = [
    cModule("CNettle"), cModule("CLibuv"), cModule("CLMDB"), cModule("CAres"), cModule("CINIH"),
    cModule("CPosix"),
]
targets += library("Wire")
targets += library("Crypto", ["Wire", "CNettle"])
targets += library("NetBIOS", ["Wire"])
targets += library("Mailslot", ["Wire"])
targets += library("SMB", ["Wire"], tests: ["Crypto", "Simulation"])
targets += library("NTLM", ["Wire", "Crypto"], tests: ["Simulation"])
targets += library("RPC", ["Wire"])
targets += library("Interfaces", ["Wire", "RPC"])
targets += library("SecureChannel", protocols, tests: ["Simulation"])
targets += library("Locator", protocols)
targets += library("Responder", protocols)
targets += library("Domain", protocols)
// A server knows the accounts that it serves, and seals with the same code as the channel does.
targets += library("Front", protocols + ["SecureChannel", "Domain"], tests: ["Simulation"])
targets += library(
    "Flows", protocols + ["SecureChannel", "Locator", "Domain"], tests: ["Simulation"])
targets += library("Decoder", protocols + ["SecureChannel", "Locator"])
targets += library("Consumers", protocols)
targets += library(
    "Agent",
    protocols + ["SecureChannel", "Locator", "Responder", "Consumers", "Domain", "Front"],
    tests: ["Simulation"])

targets += library("Loop", ["Wire", "CLibuv", "CAres", "CPosix"])
targets += library("Store", ["Wire", "Crypto", "CLMDB", "CPosix"])
// A library of its own, not part of the program, because tests cannot import an executable well.
targets += library("Configuration", ["Wire", "CINIH"])
targets += [
    .executableTarget(
        name: "postern",
        dependencies: (protocols + [
            "SecureChannel", "Locator", "Responder", "Domain", "Front", "Flows", "Decoder",
            "Consumers", "Agent", "Loop", "Store", "Configuration", "CPosix",
        ]).map { Target.Dependency(stringLiteral: $0) },
        swiftSettings: sourceSettings + [.unsafeFlags(["-parse-as-library"])],
        linkerSettings: linkerSettings),
]
if !embedded {
    targets += [
        .target(
            name: "TestSupport", dependencies: ["Wire"], path: "Tests/TestSupport",
            swiftSettings: swiftSettings),
        .target(
            name: "Simulation",
            dependencies: (protocols + ["SecureChannel"])
                .map { Target.Dependency(stringLiteral: $0) },
            path: "Tests/Simulation", swiftSettings: swiftSettings),
        .testTarget(name: "TidyTests", swiftSettings: swiftSettings),
        .target(
            name: "FuzzTargets",
            dependencies: (protocols + [
                "SecureChannel", "Locator", "Responder", "Decoder", "Consumers", "Configuration",
                "Domain", "Front", "Simulation",
            ]).map { Target.Dependency(stringLiteral: $0) },
            path: "Tests/Fuzz/Targets", swiftSettings: swiftSettings),
        .testTarget(
            name: "FuzzTests", dependencies: ["FuzzTargets"], swiftSettings: swiftSettings),
    ]
}

// `Tests/Fuzz/run` builds this alone, with libFuzzer and AddressSanitizer.
if fuzzing {
    targets = targets.filter { !$0.name.hasSuffix("Tests") && $0.name != "postern" } + [
        .executableTarget(
            name: "fuzz", dependencies: ["FuzzTargets"], path: "Tests/Fuzz/Program",
            swiftSettings: sourceSettings + [.unsafeFlags(["-parse-as-library"])],
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address", "-use-ld=lld"])]),
    ]
}

// `ONLY=RPC,SMB swift test` builds those suites and what they need, nothing else.
if let only = environment["ONLY"] {
    var needed: Set<String> = []
    var pending = only.split(separator: ",").map { "\($0)Tests" }
    while let name = pending.popLast() {
        guard needed.insert(name).inserted, let target = targets.first(where: { $0.name == name })
        else { continue }
        for case .byNameItem(let dependency, _) in target.dependencies { pending.append(dependency) }
    }
    targets = targets.filter { needed.contains($0.name) }
}

let package = Package(name: "postern", targets: targets)
