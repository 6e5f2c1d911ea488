import Crypto
import Interfaces
import TestSupport
import Wire

@testable import Consumers

func winbindBytes(_ request: WinbindRequest) -> [UInt8] {
    var writer = WireWriter()
    request.write(into: &writer)
    return writer.finish()
}

func winbindBytes(_ response: WinbindResponse) -> [UInt8] {
    var writer = WireWriter()
    response.write(into: &writer)
    return writer.finish()
}

func winbindRequest(_ bytes: [UInt8], _ interface: WinbindInterface) throws -> WinbindRequest {
    var reader = WireReader(bytes.span, layer: "winbind")
    return try WinbindRequest(parsing: &reader, interface)
}

func winbindResponse(
    _ bytes: [UInt8], to command: WinbindCommand, _ interface: WinbindInterface
) throws -> WinbindResponse {
    var reader = WireReader(bytes.span, layer: "winbind")
    return try WinbindResponse(parsing: &reader, to: command, interface)
}

/// Each kind of request, as the interface has it.
func winbindRequests(_ interface: WinbindInterface) -> [WinbindRequest] {
    func request(
        _ command: WinbindCommand, _ body: WinbindRequest.Body = .none,
        _ change: (inout WinbindRequest) -> Void = { _ in }
    ) -> WinbindRequest {
        var request = WinbindRequest(command, interface)
        request.process = 4_711
        request.body = body
        if interface.hasClientName { request.clientName = "wbinfo" }
        if interface.hasTraceNumber { request.traceNumber = 0x0102_0304_0506_0708 }
        change(&request)
        return request
    }
    var response = WinbindChallengeResponse()
    response.challenge = Bytes8([1, 2, 3, 4, 5, 6, 7, 8])
    response.parameterControl = 0x0001_0820
    response.user = "jürgen"
    response.domain = "ADLAB"
    response.lm = [UInt8](repeating: 0x4c, count: 24)
    response.nt = [UInt8](repeating: 0x4e, count: 24)
    response.workstation = "GATE1"
    response.requiredSIDs = "S-1-5-32-544"
    var long = response
    long.nt = [UInt8](repeating: 0x4e, count: 300)
    return [
        request(.interfaceVersion) { $0.genericFlags = 0x800 },
        request(.pingDC) { $0.domainName = "ADLAB" },
        request(.lookupName, .name(domain: "ADLAB", name: "Domain Users")),
        request(.lookupSID, .sid("S-1-5-21-1-2-3-500")),
        request(
            .pamAuth,
            .password(
                user: "ADLAB\\alice", Secret(Array("hunter2".utf8)),
                requiredSIDs: "S-1-5-21-1-2-3-512,S-1-5-21-1-2-3-513")
        ) { $0.flags = [.infoText, .lmKey] },
        request(.pamAuthCrap, .response(response)) { $0.flags = [.infoText, .userSessionKey] },
        request(.pamAuthCrap, .response(long)),
        request(WinbindCommand(rawValue: 24)) { $0.extra = Array("S-1-1-0\n\0".utf8) },
    ]
}

/// Each kind of answer, with the command that it answers.
func winbindResponses(
    _ interface: WinbindInterface
) -> [(command: WinbindCommand, WinbindResponse)] {
    let sid = SID("S-1-5-21-1-2-3-500")!
    var user = WinbindUser()
    user.times = [1, 2, 3, 4, 5, 6]
    user.logonCount = 7
    user.badPasswordCount = 8
    user.userRID = 1_103
    user.primaryGroupRID = 513
    user.groups = [GroupMembership(relativeID: 513), GroupMembership(relativeID: 1_200)]
    user.userFlags = 0x20
    user.accountFlags = 0x10
    user.otherGroups = [SIDAndAttributes(sid: sid, attributes: 0x2000_0007)]
    user.domainSID = SID("S-1-5-21-1-2-3")
    user.name = "alice"
    user.fullName = "Alice"
    user.logonScript = "script"
    user.profilePath = "profile"
    user.homeDirectory = "home"
    user.homeDrive = "H:"
    user.logonServer = "AD"
    user.domain = "ADLAB"
    if interface.hasDNSNames {
        user.dnsDomain = "ad.lab"
        user.principalName = "alice@ad.lab"
    }
    var accepted = WinbindLogon(.success)
    accepted.userSessionKey = Secret((1...16).map { $0 })
    accepted.lmKey = Secret((1...8).map { $0 })
    accepted.user = user
    accepted.unixName = "ADLAB\\alice"
    let domain = WinbindDomainInfo(
        name: "ADLAB", dnsName: "ad.lab", sid: "S-1-5-21-1-2-3", isActiveDirectory: true,
        isPrimary: false)
    return [
        (.interfaceVersion, WinbindResponse(interface, .number(interface.rawValue))),
        (.pamAuthCrap, WinbindResponse(interface, .logon(accepted))),
        (.pamAuth, WinbindResponse(
            interface, isOK: false, .logon(WinbindLogon(.accountLockedOut)))),
        (.lookupSID, WinbindResponse(
            interface, .account(domain: "ADLAB", name: "Administrator", use: 1))),
        (.lookupName, WinbindResponse(interface, .sid(sid, use: 2))),
        (.domainInfo, WinbindResponse(interface, .domain(domain))),
        (.info, WinbindResponse(interface, .info(separator: 0x5c, version: "1.0"))),
        (.netbiosName, WinbindResponse(interface, .name("GATE1"))),
        (.listUsers, .list(["GATE\\alice", "GATE\\bob"], separator: ",", interface)),
        (.lookupName, WinbindResponse(interface, isOK: false)),
    ]
}

func winbindSamples(_ interface: WinbindInterface) -> [MessageSample] {
    winbindRequests(interface).map { request in
        MessageSample(name: request.description, bytes: winbindBytes(request)) {
            winbindBytes(try winbindRequest($0, interface))
        }
    } + winbindResponses(interface).map { command, response in
        MessageSample(name: "to \(command.rawValue)", bytes: winbindBytes(response)) {
            winbindBytes(try winbindResponse($0, to: command, interface))
        }
    }
}
