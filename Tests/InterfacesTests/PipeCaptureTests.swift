import Foundation
import RPC
import TestSupport
import Testing
import Wire

@testable import Interfaces

/// Plain calls that captures hold within SMB: found by what a PDU of version 5.0 in one fragment
/// begins with, wherever SMB's messages have it.
@Suite(.enabled(if: Material.captures != nil)) struct PipeCaptureTests {
    struct Call {
        var interface: GUID?
        var opnum: UInt16
        var isRequest: Bool
        var stub: [UInt8]
    }

    /// A bind's call and that of the requests after it are of one connection, of which these
    /// captures interleave few; a request's opnum and its call's number tell its response.
    static func calls(_ path: String) throws -> [Call] {
        var out: [Call] = []
        var interfaces: [String: GUID] = [:]
        var opnums: [String: UInt16] = [:]
        for packet in try CaptureFile.packets(path) where !packet.isUDP {
            let bytes = packet.payload
            var start = 0
            while start + 24 <= bytes.count {
                defer { start += 1 }
                guard bytes[start] == 5, bytes[start + 1] == 0, bytes[start + 3] == 3,
                    Array(bytes[(start + 4)..<(start + 8)]) == [0x10, 0, 0, 0]
                else { continue }
                let rest = Array(bytes[start...])
                let whole = WireReader(rest.span, layer: "RPC")
                var reader = whole
                guard let fragment = try? Fragment(parsing: &reader),
                    let pdu = try? PDU(fragment, in: whole)
                else { continue }
                let client = [packet.sourcePort, packet.destinationPort].max() ?? 0
                let call = "\(client)-\(fragment.header.callID)"
                switch pdu {
                case .bind(let bind):
                    interfaces["\(client)"] = bind.contexts.first?.abstractSyntax.uuid
                case .request(let request, let stub) where fragment.auth == nil:
                    opnums[call] = request.opnum
                    out.append(
                        Call(
                            interface: interfaces["\(client)"], opnum: request.opnum,
                            isRequest: true, stub: whole.copy(stub)))
                case .response(_, let stub) where fragment.auth == nil:
                    out.append(
                        Call(
                            interface: interfaces["\(client)"], opnum: opnums[call] ?? 0xffff,
                            isRequest: false, stub: whole.copy(stub)))
                default: continue
                }
            }
        }
        return out
    }

    /// Parses `stub` as `type`, checks that it survives being written, and counts it.
    private func check<M: NDRMessage & Equatable>(
        _ stub: [UInt8], _ type: M.Type, _ count: inout Int
    ) throws {
        let message = try NetlogonSamples.parse(stub, M.self)
        #expect(try NetlogonSamples.parse(NetlogonSamples.stub(message), M.self) == message)
        count += 1
    }

    private func check<P: RemoteProcedure>(
        _ call: Call, _ procedure: P.Type, _ count: inout Int
    ) throws where P.Request: Equatable, P.Response: Equatable {
        if call.isRequest {
            try check(call.stub, P.Request.self, &count)
        } else {
            try check(call.stub, P.Response.self, &count)
        }
    }

    @Test func everyCallOfLSAAndTheServicesIsUnderstood() throws {
        var lsa = 0
        var services = 0
        // What was made by hand holds stubs that are none; "net_user" speaks NDR64.
        for path in CaptureFile.all
        where !path.contains("synthetic") && !path.contains("net_user") {
            for call in try Self.calls(path) {
                switch (call.interface, call.opnum) {
                case (LSA.interface.uuid, LsarClose.opnum): try check(call, LsarClose.self, &lsa)
                case (LSA.interface.uuid, LsarOpenPolicy.opnum):
                    try check(call, LsarOpenPolicy.self, &lsa)
                case (LSA.interface.uuid, LsarQueryInformationPolicy.opnum):
                    try check(call, LsarQueryInformationPolicy.self, &lsa)
                case (LSA.interface.uuid, LsarLookupNames.opnum):
                    try check(call, LsarLookupNames.self, &lsa)
                case (LSA.interface.uuid, LsarLookupSids.opnum):
                    try check(call, LsarLookupSids.self, &lsa)
                case (LSA.interface.uuid, LsarOpenPolicy2.opnum):
                    try check(call, LsarOpenPolicy2.self, &lsa)
                case (LSA.interface.uuid, LsarGetUserName.opnum):
                    try check(call, LsarGetUserName.self, &lsa)
                case (ServerServiceInterface.interface.uuid, NetrShareEnum.opnum):
                    try check(call, NetrShareEnum.self, &services)
                case (ServerServiceInterface.interface.uuid, NetrServerGetInfo.opnum):
                    try check(call, NetrServerGetInfo.self, &services)
                case (WorkstationServiceInterface.interface.uuid, NetrWkstaGetInfo.opnum):
                    try check(call, NetrWkstaGetInfo.self, &services)
                default: continue
                }
            }
        }
        #expect(lsa > 20, "\(lsa)")
        #expect(services > 1, "\(services)")
    }
}
