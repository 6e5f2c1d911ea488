import NTLM
import RPC
import SecureChannel
import Wire

/// Protects the PDUs of one security context, in place: opens what came, seals what goes.
struct CallProtection {
    private enum Provider {
        case ntlm(MessageSecurity)
        case netlogon(NetlogonSeal)
    }

    private let level: AuthLevel
    /// Both ends said that signatures cover a PDU's headers too (MS-RPCE 3.3.1.5.2.2). NTLM's do
    /// under extended session security whatever was said: RPC hands it the headers as data that
    /// is not to be changed, and it counts them in. Clients older than the flag rely on that.
    private let signsHeaders: Bool
    /// Each direction counts for itself, so that several calls may be under way.
    let countsApart: Bool
    private var provider: Provider
    /// The number of the connection's next message, where one count serves both directions.
    private var sequence: UInt64 = 0
    /// A PDU was refused: both ends no longer agree on what comes next.
    private var isBroken = false

    init(_ security: MessageSecurity, level: AuthLevel, signsHeaders: Bool, countsApart: Bool) {
        provider = .ntlm(security)
        self.level = level
        self.signsHeaders = signsHeaders
        self.countsApart = countsApart
    }

    init(_ seal: NetlogonSeal, level: AuthLevel, signsHeaders: Bool) {
        provider = .netlogon(seal)
        self.level = level
        self.signsHeaders = signsHeaders
        countsApart = false
    }

    /// Whether PDUs carry a token; at the connect level they do not.
    var hasTokens: Bool { level != .connect && level != .none }

    var tokenLength: Int {
        switch provider {
        case .ntlm: MessageSecurity.tokenLength
        case .netlogon(let seal): seal.tokenLength
        }
    }

    /// Verifies, and where the level says so opens, the stub with its padding at `body`. False:
    /// its token does not fit.
    mutating func open(
        _ pdu: inout [UInt8], body: Range<Int>, signed: Range<Int>, token: Range<Int>
    ) -> Bool {
        if isBroken { return false }
        switch provider {
        case .ntlm(var security):
            do {
                if level == .privacy {
                    try security.unseal(&pdu, body: body, covered: signed, token: token)
                } else {
                    try security.verify(pdu, body: body, covered: signed, token: token)
                }
            } catch {
                isBroken = true
                return false
            }
            provider = .ntlm(security)
        case .netlogon(let seal):
            let covered = signsHeaders ? signed : body
            do {
                try Self.open(seal, level, &pdu, body, covered, token, sequence)
            } catch {
                isBroken = true
                return false
            }
            sequence += 1
        }
        return true
    }

    private static func open(
        _ seal: NetlogonSeal, _ level: AuthLevel, _ pdu: inout [UInt8], _ body: Range<Int>,
        _ covered: Range<Int>, _ token: Range<Int>, _ sequence: UInt64
    ) throws(NetlogonSeal.Refused) {
        if level == .privacy {
            try seal.unseal(&pdu, body: body, covered: covered, token: token, sequence: sequence)
        } else {
            try seal.verify(pdu, covered: covered, token: token, sequence: sequence)
        }
    }

    /// Protects the PDU that `layout` describes.
    mutating func protect(
        _ pdu: inout [UInt8], _ layout: Fragmenter.Layout, random: (Int) -> [UInt8]
    ) {
        let token = layout.token.lowerBound
        switch provider {
        case .ntlm(var security):
            if level == .privacy {
                security.seal(&pdu, body: layout.sealed, covered: layout.signed, token: token)
            } else {
                security.sign(&pdu, body: layout.sealed, covered: layout.signed, token: token)
            }
            provider = .ntlm(security)
        case .netlogon(let seal):
            let covered = signsHeaders ? layout.signed : layout.sealed
            if level == .privacy {
                seal.seal(
                    &pdu, body: layout.sealed, covered: covered, token: token,
                    sequence: sequence, confounder: Bytes8(random(8)))
            } else {
                seal.sign(&pdu, covered: covered, token: token, sequence: sequence)
            }
            sequence += 1
        }
    }
}
